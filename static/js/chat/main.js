// The chat page beyond its HTML: answers appear as they are written, keys choose, what is typed is kept.

import { listenToKeys } from "../judging/keys.js";
import * as strip from "../judging/kinds/comparison.js";
import { Timer } from "../judging/lease.js";
import { forget, keep, restore } from "./kept.js";
import { Stream } from "./stream.js";

const page = document.getElementById("chat-page");
const atOnce = document.getElementById("at-once");
const timer = new Timer();
const find = (id) => document.getElementById(id);
let busy = false;

function say(text, tone = "quiet") {
  find("state").textContent = text;
  find("state").dataset.tone = tone;
}

function announce(text) {
  find("announcer").textContent = text;
}

function show() {
  for (const form of page.querySelectorAll("form[data-keep]")) if (!page.querySelector("[aria-invalid], .errorlist")) restore(form);
  const answers = find("answers");
  if (!answers) return;
  timer.restart(Number(find("answer").elements.active_seconds.value) || 0);
  strip.show(answers, actions);
  new Stream(answers, {
    finished: () => announce("Both answers are finished."),
    over: () => !busy && htmx.ajax("GET", location.pathname, { target: "#chat", swap: "outerHTML" }),
  });
}

function welcome() {
  const wrong = page.querySelector(".errorlist");
  if (wrong) say("Not sent: see what is marked", "warning");
  else say("");
  const place = page.querySelector("[aria-invalid], .chat-edit[open] textarea") ?? find("prompt-title");
  (find("answers") || wrong ? place : find("message-text"))?.focus({ preventScroll: true });
  scrollToNow();
  if (find("answers") && !wrong) announce("Two answers are being written. Choose the better one at any time.");
}

// The last message and its answers at the top, or the place to write at the bottom.
function scrollToNow() {
  if (find("answers")) find("chat").querySelector(".chat-turn:last-child").scrollIntoView({ block: "start" });
  else find("chat").querySelector(".chat-turns ~ .chat-foot")?.scrollIntoView({ block: "end" });
}

function finish() {
  const rationale = find("rationale");
  if (rationale?.hasAttribute("data-required") && !rationale.value.trim()) rationale.focus();
  else if (atOnce.checked) find("answer").requestSubmit();
}

// Ctrl+Enter sends the text that has the focus, else the choice.
function submit() {
  const form = document.activeElement?.form;
  const message = form?.elements.message && form;
  (message || find("answer") || find("message"))?.requestSubmit();
}

function editLast() {
  const edit = find("edit-last");
  edit.open = true;
  edit.querySelector("textarea").focus();
}

function ofKind(key) {
  const choice = find("answers") && strip.actionFor(key, find("answers"), actions);
  if (choice) return choice;
  return {
    n: find("again") && (() => find("again").requestSubmit()),
    e: find("edit-last") && editLast,
    w: find("message-text") && (() => find("message-text").focus()),
  }[key];
}

const actions = {
  isBusy: () => busy,
  ofKind,
  finish,
  submit,
  undo: () => {},
  openGuidelines: () => find("guidelines-dialog").showModal(),
  openKeys: () => find("keys-dialog").showModal(),
};

page.addEventListener("click", (event) => {
  const guidelines = event.target.closest("#open-guidelines");
  if (guidelines && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    actions.openGuidelines();
  }
  if (event.target.closest("#open-keys")) actions.openKeys();
});
for (const name of ["input", "change"]) {
  page.addEventListener(name, (event) => event.target.form?.dataset.keep && keep(event.target.form));
}
page.addEventListener("submit", (event) => {
  if (busy && event.target.method !== "dialog") return event.preventDefault(), event.stopImmediatePropagation();
  const seconds = event.target.elements.active_seconds;
  if (seconds) seconds.value = timer.seconds().toFixed(1);
}, true);
page.addEventListener("htmx:beforeRequest", () => {
  busy = true;
  say("Sending…");
});
page.addEventListener("htmx:afterRequest", ({ detail }) => {
  busy = false;
  if (!detail.xhr?.status) say("Offline: what you typed is kept here. Send it again in a moment.", "warning");
});
// What was sent is forgotten here. A session that ended answers with the sign-in page: go there, all is still kept.
page.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!new URL(detail.xhr.responseURL).pathname.startsWith(location.pathname)) {
    detail.shouldSwap = false;
    location.reload();
  } else if (detail.xhr.status === 200) {
    const form = detail.requestConfig.elt;
    if (form.dataset?.keep) forget(form);
  }
});
page.addEventListener("htmx:afterSwap", () => {
  show();
  welcome();
});

atOnce.checked = (localStorage.getItem("plumbline:at-once") ?? String(matchMedia("(pointer: fine)").matches)) === "true";
atOnce.addEventListener("change", () => localStorage.setItem("plumbline:at-once", String(atOnce.checked)));
listenToKeys(actions);
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
show();
find("at-once-label").hidden = false;
find("open-keys").hidden = false;
welcome();
window.addEventListener("load", () => setTimeout(scrollToNow)); // after the frame has brought its own tab into view
