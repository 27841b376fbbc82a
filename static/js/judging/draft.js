// The draft: in this browser at once, on the server within a second of a pause, back after a reload.

import { forget, recall, remember, say } from "./state.js";

const PAUSE = 600;
const RETRY = 5_000;
const LONGEST_WAIT = 20_000;
const CONTROL = ["csrfmiddlewaretoken", "lease", "submission_id", "active_seconds"]; // everything else is the draft

export class Draft {
  constructor(url, activeSeconds) {
    this.url = url;
    this.activeSeconds = activeSeconds;
    this.lastSave = Promise.resolve(); // of this task or the one before
    document.addEventListener("input", (event) => this.noteChange(event));
    document.addEventListener("change", (event) => this.noteChange(event));
    document.addEventListener("visibilitychange", () => this.noteVisibility());
    window.addEventListener("online", () => this.dirty && this.save());
  }

  follow(form, lease) {
    clearTimeout(this.timeout);
    if (lease !== this.lease) this.underWay = null;
    Object.assign(this, { form, lease, dirty: false });
    const kept = lease && recall("draft", lease);
    if (!kept) return;
    form.elements.active_seconds.value = Math.max(Number(form.elements.active_seconds.value) || 0, kept.seconds ?? 0);
    if (kept.saved) return;
    restore(form, kept.fields);
    say("Restored what you had not sent", "saved");
    this.schedule(0);
  }

  forget(lease) {
    if (lease === this.lease) clearTimeout(this.timeout);
    forget("draft", lease);
  }

  noteChange(event) {
    if (!this.form || event.target.form !== this.form) return;
    this.keep(false);
    say("Saving…");
    this.schedule(PAUSE);
  }

  // A tab that goes into the background may never be heard of again.
  noteVisibility() {
    if (document.visibilityState !== "hidden" || this.isClosed || !this.form?.isConnected) return;
    const kept = recall("draft", this.lease);
    if (!kept || !this.shows(kept)) return;
    this.dirty = true;
    this.save();
  }

  // The page closes: the newest text and the seconds up to now, or null when another tab has a newer text than this one.
  close() {
    this.isClosed = true;
    clearTimeout(this.timeout);
    const kept = recall("draft", this.lease);
    if (kept && !this.shows(kept)) return null;
    if (kept) this.keep(kept.saved);
    return this.read();
  }

  shows(kept) {
    return JSON.stringify(kept.fields) === JSON.stringify(fieldsOf(this.form));
  }

  schedule(delay) {
    this.dirty = true;
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.save(), delay);
  }

  keep(saved) {
    remember("draft", this.lease, { fields: fieldsOf(this.form), seconds: this.activeSeconds(), saved });
  }

  // One at a time: an older text must not reach the server after a newer one, nor have the newer one called saved.
  async save() {
    const { form, lease } = this;
    if (!form?.isConnected || this.underWay) return; // it stays dirty, and goes when the one under way has ended
    const isSaved = await this.send();
    if (lease !== this.lease || this.underWay || !this.form?.isConnected) return;
    if (!isSaved) return this.waitAndRetry();
    if (this.dirty) return this.schedule(PAUSE);
    if (form !== this.form) return;
    this.keep(true);
    say("Draft saved", "saved");
  }

  // The form, when the server may not have all of it.
  unsent() {
    this.read();
    return this.dirty || this.underWay ? this.form : null;
  }

  async send() {
    clearTimeout(this.timeout);
    this.dirty = false;
    const sending = this.post(this.read());
    this.underWay = this.lastSave = sending;
    const isSaved = await sending;
    if (sending === this.underWay) this.underWay = null;
    return isSaved;
  }

  read() {
    this.form.elements.active_seconds.value = this.activeSeconds().toFixed(1);
    return new FormData(this.form);
  }

  async post(body) {
    const answer = await fetch(this.url, { method: "POST", body, signal: AbortSignal.timeout(LONGEST_WAIT) }).catch(() => null);
    return Boolean(answer?.ok) && !answer.redirected;
  }

  waitAndRetry() {
    say("Offline: your draft is kept in this browser", "warning");
    this.schedule(RETRY);
  }
}

function fieldsOf(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) if (!CONTROL.includes(name)) (fields[name] ??= []).push(value);
  return fields;
}

function restore(form, fields) {
  for (const element of form.elements) {
    if (!element.name || CONTROL.includes(element.name)) continue;
    const values = fields[element.name] ?? [];
    if (element.type === "radio" || element.type === "checkbox") element.checked = values.includes(element.value);
    else element.value = values[0] ?? "";
  }
}
