// Being at work on a task. The lease: a heartbeat while somebody is there, handed back when the page closes. The timer:
// seconds a person was at work, when the tab was visible and something moved within the last minute.

import { announce, say, showProgress } from "./state.js";

const HEARTBEAT = 30_000;
const GIVE_UP_AFTER = 600; // seconds without a sign of life; then the task may lapse
const PATIENCE = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"];

export class Lease {
  constructor({ heartbeat, return: handBack, guideline }, { idleSeconds, ahead, draft }) {
    Object.assign(this, { heartbeat, handBack, guideline, idleSeconds, ahead, draft });
    setInterval(() => this.beat(), HEARTBEAT);
    window.addEventListener("pagehide", () => this.giveBack());
  }

  follow(form, id, heldUntil) {
    Object.assign(this, { form, id, heldUntil });
  }

  async beat() {
    const { id, form } = this;
    if (!id || this.idleSeconds() > GIVE_UP_AFTER) return;
    const body = new FormData();
    body.append("lease", id);
    if (this.ahead()) body.append("ahead", this.ahead().lease);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(this.heartbeat, { method: "POST", body }).catch(() => null);
    if (!answer?.ok || answer.redirected || id !== this.id) return;
    const told = await answer.json();
    this.heldUntil = told.held_until;
    if (this.ahead() && told.ahead_until) this.ahead().heldUntil = told.ahead_until;
    showProgress(told.progress);
    if (!told.held) say("Somebody else may have this task now; your answer is kept all the same", "warning");
    if (told.guideline && String(told.guideline) !== this.guideline) this.showGuideline(told.guideline);
  }

  showGuideline(version) {
    this.guideline = String(version);
    const label = document.getElementById("guideline-version");
    if (label) label.textContent = `v${version} (new)`;
    announce(`The guidelines have changed. Press g to read version ${version}.`);
    say(`Guidelines changed: press g to read version ${version}`, "warning");
    htmx.ajax("GET", `${location.pathname}guidelines/`, { target: "#guidelines-dialog", swap: "innerHTML" });
  }

  giveBack() {
    if (!this.id || !this.form?.isConnected) return;
    this.sendBack(this.id, this.heldUntil, this.draft.close() ?? new FormData());
    const next = this.ahead();
    if (next) this.sendBack(next.lease, next.heldUntil, new FormData());
  }

  // FormData with the token, since a beacon carries no headers of ours. The draft goes along.
  sendBack(lease, heldUntil, body) {
    body.set("lease", lease);
    body.set("held_until", heldUntil);
    body.set("csrfmiddlewaretoken", this.form.elements.csrfmiddlewaretoken.value);
    navigator.sendBeacon(this.handBack, body);
  }
}

export class Timer {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.restart(0);
    for (const sign of SIGNS) document.addEventListener(sign, () => this.noteActivity(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => this.noteVisibility());
  }

  restart(seconds) {
    this.counted = seconds * 1000;
    this.since = this.lastSign = this.now();
    this.visible = document.visibilityState === "visible";
  }

  seconds() {
    this.count();
    return this.counted / 1000;
  }

  idleSeconds() {
    return (this.now() - this.lastSign) / 1000;
  }

  count() {
    const until = Math.min(this.now(), this.lastSign + PATIENCE);
    if (this.visible && until > this.since) this.counted += until - this.since;
    this.since = this.now();
  }

  noteActivity() {
    this.count();
    this.lastSign = this.now();
  }

  noteVisibility() {
    this.count();
    this.visible = document.visibilityState === "visible";
    if (this.visible) this.lastSign = this.now();
  }
}

// An answer that comes faster than its texts can be looked through is asked about once, and never refused.

export function asksFirst(area, seconds) {
  const line = area.querySelector("#quick");
  if (!line?.hidden || seconds >= Number(line.dataset.least)) return false;
  line.hidden = false;
  return true;
}
