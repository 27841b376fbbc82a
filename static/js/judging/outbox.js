// Sending that survives a lost network: what was submitted stays in this browser until the server has it, and is sent
// again with the same submission id, which the server counts once. Meanwhile the task is frozen as it was sent.

import { announce, say } from "./state.js";
import { all, forget, forgetOld, recall, remember } from "./storage.js";

const LONGEST_WAIT = 15_000;

export class Outbox {
  constructor(page, { sent }) {
    Object.assign(this, { page, sent, busy: false, failures: 0 });
    page.addEventListener("submit", (event) => this.allowOne(event), true);
    page.addEventListener("htmx:beforeRequest", (event) => this.begin(event));
    page.addEventListener("htmx:beforeSwap", (event) => this.check(event));
    page.addEventListener("htmx:afterRequest", (event) => this.end(event));
    for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) page.addEventListener(name, (event) => event.stopPropagation());
    window.addEventListener("online", () => this.retry());
  }

  allowOne(event) {
    if (!this.busy || event.target.method === "dialog") return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  begin(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    this.busy = true;
    this.form = form;
    document.getElementById("judging").inert = true;
    say("Sending…");
    const { lease } = form.elements;
    if (lease) remember("pending", lease.value, { url: form.action, fields: fieldsOf(form) });
  }

  // A session that ended answers with the sign-in page; go there, and send what is kept after coming back.
  check(event) {
    const { xhr, requestConfig } = event.detail;
    if (new URL(xhr.responseURL, location).pathname !== new URL(requestConfig.path, location).pathname) {
      event.detail.shouldSwap = false;
      location.assign(location.href);
    } else if (xhr.status === 409) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  }

  end(event) {
    const form = event.detail.requestConfig?.elt ?? event.target;
    if (form !== this.form) return;
    const status = event.detail.xhr?.status ?? 0;
    if (status === 0 || status === 429 || status >= 500) return this.waitAndRetry();
    this.release();
    const lease = form.elements.lease?.value;
    if (lease) forget("pending", lease);
    if (lease && status < 300) this.sent(lease);
    if (status === 403 || status === 404) say("This task can no longer be judged here. Reload the page.", "warning");
  }

  release() {
    Object.assign(this, { busy: false, failures: 0, form: null });
    clearTimeout(this.timeout);
    document.getElementById("judging").inert = false;
  }

  waitAndRetry() {
    this.failures += 1;
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.failures);
    const text = "Offline: your answer is kept here and is sent by itself";
    say(text, "warning");
    if (this.failures === 1) announce(text);
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.retry(), wait);
  }

  retry() {
    if (!this.failures || !this.form?.isConnected) return;
    clearTimeout(this.timeout);
    this.busy = false;
    this.form.requestSubmit();
  }

  // What an earlier page could not send. When it was the task shown now, the page starts again without it.
  async flush(shown) {
    forgetOld("draft");
    for (const lease of all("pending")) {
      const { url, fields } = recall("pending", lease);
      const answer = await this.post(url, fields);
      if (!answer || answer.status >= 500 || answer.redirected) continue;
      forget("pending", lease);
      if (answer.ok) this.sent(lease);
      if (lease === shown) location.reload();
    }
  }

  async post(url, fields) {
    const body = new FormData();
    for (const [name, value] of fields) body.append(name, value);
    const token = JSON.parse(document.body.getAttribute("hx-headers"));
    return fetch(url, { method: "POST", body, headers: { ...token, "HX-Request": "true" } }).catch(() => null);
  }
}

function fieldsOf(form) {
  return [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
}
