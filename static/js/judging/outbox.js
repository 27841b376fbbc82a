// Sending that survives a lost network: what was submitted stays in this browser until the server has it, and is sent
// again with the same submission id, which the server counts once. With the next task at hand it is sent behind the
// person's back; without, the task is frozen as it was sent until the answer brings the next.

import { all, announce, forget, forgetOld, recall, remember, say } from "./state.js";

const LONGEST_WAIT = 15_000;
const OFFLINE = "Offline: your answer is kept here and is sent by itself";

export class Outbox {
  // `ahead` is the task held ready; `draft` what was typed; `show(area, event)` puts another in place of the one on the
  // page; `confirmed(told)` hears what the server has taken.
  constructor(page, { ahead, draft, show, confirmed }) {
    Object.assign(this, { page, ahead, draft, show, confirmed, busy: false, failures: 0, delivery: null });
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
    const pending = this.pendingOf(form);
    const next = this.ahead.take();
    pending.fields.push(["next", next.lease]);
    remember("pending", lease, pending);
    this.show(next.area, form.id === "answer" ? "judged" : "skipped");
    this.follow(this.deliverAnswer(lease, pending));
  }

  // A skip has the draft behind it: it is kept, for whoever comes back to the task.
  pendingOf(form) {
    const typed = form.id === "skip-form" && this.draft.unsent();
    return { url: form.action, fields: fieldsOf(form), draft: typed ? { url: this.draft.url, fields: fieldsOf(typed) } : null };
  }

  follow(delivery) {
    this.page.toggleAttribute("data-sending", true);
    this.delivery = delivery.finally(() => {
      this.delivery = null;
      this.page.toggleAttribute("data-sending", false);
    });
  }

  async deliverAnswer(lease, { url, fields, draft }) {
    const { answer, again } = await this.postUntilTaken(url, fields);
    if (answer.redirected) return location.assign(location.href);
    const rest = this.settle(lease, answer, draft);
    if (answer.status === 403 || answer.status === 404) say("The last task can no longer be judged here. Reload the page.", "warning");
    else if (!answer.headers.get("Content-Type").includes("json")) this.show(parse(await answer.text()));
    else {
      this.confirmed(await answer.json());
      if (again) say("Back online: your answer has been sent", "saved");
    }
    await rest;
  }

  // The server has answered. Behind a skip goes the draft, and nothing else before that: an older text must not come
  // after a newer one.
  async settle(lease, { ok: isTaken }, draft) {
    let isDone = isTaken;
    if (isTaken && draft) {
      remember("pending", lease, draft);
      await this.draft.lastSave;
      const { answer } = await this.postUntilTaken(draft.url, draft.fields);
      if (answer.redirected) return;
      isDone = answer.ok;
    }
    forget("pending", lease);
    if (isDone) this.draft.forget(lease);
  }

  // Returns the answer, and whether it took more than one try.
  async postUntilTaken(url, fields) {
    for (let failures = 0; ; failures += 1) {
      const answer = await this.post(url, fields);
      if (answer && answer.status !== 429 && answer.status < 500) return { answer, again: failures > 0 };
      if (failures === 0) announce(OFFLINE);
      say(OFFLINE, "warning");
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, waitAfter(failures + 1));
      });
    }
  }

  begin(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    this.freeze(form);
    say("Sending…");
    const { lease } = form.elements;
    this.pending = this.pendingOf(form);
    if (lease) remember("pending", lease.value, this.pending);
  }

  // A session that ended answers with the sign-in page; go there, and send what is kept after coming back.
  check(event) {
    const { xhr, requestConfig } = event.detail;
    if (new URL(xhr.responseURL, location).pathname !== new URL(requestConfig.path, location).pathname) {
      event.detail.shouldSwap = false;
      this.form = null; // nothing has been taken
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
    if (lease) this.follow(this.settle(lease, { ok: status < 300 }, this.pending.draft));
    if (status === 403 || status === 404) say("This task can no longer be judged here. Reload the page.", "warning");
  }

  release() {
    Object.assign(this, { busy: false, failures: 0, form: null });
    clearTimeout(this.timeout);
    document.getElementById("judging").inert = false;
  }

  waitAndRetry() {
    this.failures += 1;
    say(OFFLINE, "warning");
    if (this.failures === 1) announce(OFFLINE);
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.retry(), waitAfter(this.failures));
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
    for (const { lease, url, fields, draft } of kept.sort((one, other) => one.at - other.at)) {
      const answer = await this.post(url, fields.filter(([name]) => name !== "next"));
      if (!answer || answer.status >= 500 || answer.redirected) continue;
      await this.settle(lease, answer, draft);
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

function waitAfter(failures) {
  return Math.min(LONGEST_WAIT, 500 * 2 ** failures);
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function fieldsOf(form) {
  return [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
}
