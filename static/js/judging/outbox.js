// Sending that survives a lost network: what was submitted stays in this browser until the server has it, and is sent
// again with the same submission id, which the server counts once. With the next task at hand it is sent behind the
// person's back; without, the task is frozen as it was sent until the answer brings the next.

import { all, announce, forget, forgetOld, recall, remember, say } from "./state.js";

const LONGEST_WAIT = 15_000;
const OFFLINE = "Offline: your answer is kept here and is sent by itself";

export class Outbox {
  // `ahead` is the task held ready; `show(area, event)` puts another in place of the one on the page; `sent(lease)` and
  // `confirmed(told)` hear what the server has taken.
  constructor(page, { ahead, show, sent, confirmed }) {
    Object.assign(this, { page, ahead, show, sent, confirmed, busy: false, failures: 0, delivery: null });
    page.addEventListener("submit", (event) => this.allowOne(event), true);
    page.addEventListener("htmx:beforeRequest", (event) => this.begin(event));
    page.addEventListener("htmx:beforeSwap", (event) => this.check(event));
    page.addEventListener("htmx:afterRequest", (event) => this.end(event));
    for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) page.addEventListener(name, (event) => event.stopPropagation());
    window.addEventListener("online", () => this.retry());
  }

  allowOne(event) {
    const form = event.target;
    if (form.method === "dialog") return;
    if (!this.busy && !this.delivery && !(form.elements.submission_id && this.ahead.ready)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (this.busy) return;
    if (this.delivery) this.afterDelivery(form);
    else this.deliver(form);
  }

  // Whatever is submitted while an answer is on its way waits for it, frozen.
  async afterDelivery(form) {
    this.freeze(form);
    await this.delivery;
    this.release();
    if (form.isConnected) form.requestSubmit();
  }

  freeze(form) {
    Object.assign(this, { busy: true, form });
    document.getElementById("judging").inert = true;
  }

  deliver(form) {
    const lease = form.elements.lease.value;
    const next = this.ahead.take();
    const pending = { url: form.action, fields: [...fieldsOf(form), ["next", next.lease]] };
    remember("pending", lease, pending);
    this.show(next.area, form.id === "answer" ? "judged" : "skipped");
    this.page.toggleAttribute("data-sending", true);
    this.delivery = this.deliverUntilTaken(lease, pending).finally(() => {
      this.delivery = null;
      this.page.toggleAttribute("data-sending", false);
    });
  }

  async deliverUntilTaken(lease, { url, fields }) {
    let answer = await this.post(url, fields);
    for (this.failures = 0; !answer || answer.status === 429 || answer.status >= 500; answer = await this.post(url, fields)) {
      this.failures += 1;
      if (this.failures === 1) announce(OFFLINE);
      say(OFFLINE, "warning");
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, this.wait());
      });
    }
    if (answer.redirected) return location.assign(location.href);
    const again = this.failures > 0;
    this.failures = 0;
    forget("pending", lease);
    if (answer.ok) this.sent(lease);
    if (answer.status === 403 || answer.status === 404) return say("The last task can no longer be judged here. Reload the page.", "warning");
    if (!answer.headers.get("Content-Type").includes("json")) return this.show(parse(await answer.text()));
    this.confirmed(await answer.json());
    if (again) say("Back online: your answer has been sent", "saved");
  }

  begin(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    this.freeze(form);
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

  wait() {
    return Math.min(LONGEST_WAIT, 500 * 2 ** this.failures);
  }

  waitAndRetry() {
    this.failures += 1;
    say(OFFLINE, "warning");
    if (this.failures === 1) announce(OFFLINE);
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.retry(), this.wait());
  }

  retry() {
    if (this.delivery) return this.wake?.();
    if (!this.failures || !this.form?.isConnected) return;
    clearTimeout(this.timeout);
    this.busy = false;
    this.form.requestSubmit();
  }

  // What an earlier page could not send, oldest first. When it was the task shown now, the page starts again without it.
  async flush(shown) {
    forgetOld("draft");
    const kept = all("pending").map((lease) => ({ lease, ...recall("pending", lease) }));
    for (const { lease, url, fields } of kept.sort((one, other) => one.at - other.at)) {
      const answer = await this.post(url, fields.filter(([name]) => name !== "next"));
      if (!answer || answer.status >= 500 || answer.redirected) continue;
      forget("pending", lease);
      if (answer.ok) this.sent(lease);
      if (lease === shown) location.reload();
    }
  }

  async post(url, fields) {
    const body = new URLSearchParams(fields); // read with less work than a multipart body
    const token = JSON.parse(document.body.getAttribute("hx-headers"));
    return fetch(url, { method: "POST", body, headers: { ...token, "HX-Request": "true" } }).catch(() => null);
  }
}

// The task after this one, fetched and wired while this one is read. The page says in data-next how far that is:
// "awaited", "ready", or "none" when nothing comes.
export class Ahead {
  constructor(page, prepare) {
    Object.assign(this, { page, url: page.dataset.ahead, prepare, ready: null });
  }

  async fetch(lease) {
    this.wait(lease);
    const answer = lease && (await fetch(`${this.url}?lease=${lease}`).catch(() => null));
    this.keep(answer?.ok && !answer.redirected ? (await answer.json()).ahead : null, lease);
  }

  wait(lease) {
    Object.assign(this, { ready: null, wanted: lease });
    this.page.dataset.next = "awaited";
  }

  keep(html, lease) {
    if (this.wanted !== lease) return;
    const area = html ? parse(html) : null;
    this.ready = area && { area, lease: area.dataset.lease, heldUntil: area.dataset.heldUntil };
    this.page.dataset.next = area ? "ready" : "none";
    if (area) this.prepare(area);
  }

  // The task held ready, which is the one shown from now on.
  take() {
    const { ready } = this;
    this.wait(ready.lease);
    return ready;
  }
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function fieldsOf(form) {
  return [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
}
