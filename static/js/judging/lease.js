// The lease: a heartbeat while somebody is at work, handed back when the page closes.

import { announce, say, showProgress } from "./state.js";

const HEARTBEAT = 30_000;
const GIVE_UP_AFTER = 600; // seconds without a sign of life; then the task may lapse

export class Lease {
  constructor({ heartbeat, return: handBack, guideline }, idleSeconds) {
    Object.assign(this, { heartbeat, handBack, guideline, idleSeconds });
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
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(this.heartbeat, { method: "POST", body }).catch(() => null);
    if (!answer?.ok || answer.redirected || id !== this.id) return;
    const told = await answer.json();
    this.heldUntil = told.held_until;
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

  // FormData with the token, since a beacon carries no headers of ours. The draft goes along.
  giveBack() {
    if (!this.id || !this.form?.isConnected) return;
    const body = new FormData(this.form);
    body.append("held_until", this.heldUntil);
    navigator.sendBeacon(this.handBack, body);
  }
}
