// The judging page beyond its HTML. Everything here only fills in and sends the forms that are there without it.

import { Draft } from "./draft.js";
import { listenToKeys } from "./keys.js";
import { asksFirst, Lease, Timer } from "./lease.js";
import { Ahead, Outbox } from "./outbox.js";
import { adjustProgress, announce, say, showProgress } from "./state.js";

// Each kind's keys and clicks: `show(area, page)` when a task appears, `actionFor(key, area, page)` for a key.
const KINDS = {
  comparison: () => import("./kinds/comparison.js"),
  chat: () => import("./kinds/comparison.js"),
  ranking: () => import("./kinds/ranking.js"),
  rating: () => import("./kinds/rating.js"),
  demonstration: () => import("./kinds/demonstration.js"),
  edit: () => import("./kinds/edit.js"),
  spans: () => import("./kinds/spans.js"),
};

const page = document.getElementById("judge");
const atOnce = document.getElementById("at-once");
const timer = new Timer();
const draft = new Draft(page.dataset.draft, () => timer.seconds());
const ahead = new Ahead(page, prepare);
const lease = new Lease(page.dataset, { idleSeconds: () => timer.idleSeconds(), ahead: () => ahead.ready, draft });

const find = (id) => document.getElementById(id);
const area = () => find("judging");
const SENDING = "Judged, sending…";

page.addEventListener("submit", (event) => {
  if (event.target.id === "answer" && asksFirst(area(), timer.seconds())) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  const seconds = event.target.elements.active_seconds;
  if (seconds) seconds.value = timer.seconds().toFixed(1);
}, true);
const outbox = new Outbox(page, { ahead, draft, show: putTask, confirmed });

const loaded = {};
let kind = null;
let press = null;

// The second half of a double click belongs to the task that has gone, not to the one that has come under the pointer.
page.addEventListener("click", (event) => {
  const { detail, clientX, clientY } = event; // the browser's count of clicks knows how quick this person's are
  const before = press;
  if (detail < 2) press = { area: area(), clientX, clientY };
  else if (before && before.area !== area() && Math.hypot(clientX - before.clientX, clientY - before.clientY) < 8) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

async function loadKind(name) {
  if (name && !loaded[name]) loaded[name] = await KINDS[name]();
}

// What the next task will need, while this one is read.
async function prepare(next) {
  loadKind(next.dataset.kind);
  if (next.querySelector(".math")) (await import("../maths.js")).renderMaths(next);
}

// The task that was held ready after `event`, or whatever the server says comes instead.
function putTask(next, event) {
  if (event) next.dataset.event = event;
  area().replaceWith(next);
  htmx.process(next);
  htmx.trigger(next, "htmx:load", { elt: next });
  showTask();
  welcomeTask();
  if (event) say(SENDING);
  else ahead.fetch(area().dataset.lease);
}

// The server has the answer before this task, and sends the one after it.
function confirmed({ last, held_until: heldUntil, ahead: following }) {
  const undo = find("undo");
  if (undo) undo.elements.judgement.value = last;
  lease.heldUntil = heldUntil;
  if (find("state").textContent === SENDING) say("Judged and saved", "saved");
  ahead.keep(following, area().dataset.lease);
}

async function showTask() {
  const form = find("answer");
  const id = area().dataset.lease ?? null;
  draft.follow(form, id);
  lease.follow(form, id, area().dataset.heldUntil);
  showLastTurn();
  timer.restart(Number(form?.elements.active_seconds.value) || 0);
  const name = area().dataset.kind;
  if (!loaded[name]) await loadKind(name);
  kind = loaded[name] ?? null;
  kind?.show(area(), actions);
  if (localStorage.getItem("plumbline:reading")?.length > 2) reading();
}

// The reading aids come when they are first wanted, and stay as they were switched.
async function reading(name) {
  if (name === "search") {
    find("reading-find").hidden = false;
    find("reading-sought").select(); // at once: what is typed next is sought
  }
  const aids = await import("./reading.js");
  return name ? aids.act(name) : aids.show();
}

// A long conversation opens at its last turn, the one that was answered.
function showLastTurn() {
  const turns = area().querySelector(".judging-turns");
  if (turns) turns.scrollTop = turns.lastElementChild.offsetTop - turns.firstElementChild.offsetTop;
}

function welcomeTask() {
  const happened = area().dataset.event;
  const errors = area().querySelector(".errorlist");
  if (area().dataset.total) showProgress(area().dataset);
  else adjustProgress(happened, { next: Boolean(area().dataset.lease) });
  if (errors) {
    (area().querySelector("[aria-invalid]") ?? find("prompt-title")).focus();
    say("Not sent: something is missing", "warning");
    return;
  }
  find("prompt-title")?.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
  const text = area().querySelector(".turn:last-child .prose")?.textContent.trim().slice(0, 100);
  const done = { judged: "Judged.", skipped: "Skipped.", undone: "Taken back, choose again." }[happened] ?? "";
  announce(`${done} ${text ? `Task: ${text}` : "Nothing is waiting for you."}`);
  say(done, "quiet");
}

// Everything the kind asks for is answered: on to a reason that is missing, else off it goes.
function finish() {
  const rationale = find("rationale");
  if (rationale?.hasAttribute("data-required") && !rationale.value.trim()) rationale.focus();
  else if (atOnce.checked) submit();
}

function submit() {
  if (!outbox.busy) find("answer")?.requestSubmit();
}

function openDialog(id) {
  find(id).showModal();
}

page.addEventListener("click", (event) => {
  const guidelines = event.target.closest("#open-guidelines");
  if (guidelines && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog("guidelines-dialog");
  }
  if (event.target.closest("#open-keys")) openDialog("keys-dialog");
  const aid = event.target.closest("[data-reading]");
  if (aid) reading(aid.dataset.reading);
});

page.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "judging" && event.detail.elt.id !== "judging") return;
  showTask();
  welcomeTask();
  ahead.fetch(area().dataset.lease);
});

atOnce.checked = (localStorage.getItem("plumbline:at-once") ?? String(matchMedia("(pointer: fine)").matches)) === "true";
atOnce.addEventListener("change", () => localStorage.setItem("plumbline:at-once", String(atOnce.checked)));
const actions = {
  isBusy: () => outbox.busy,
  ofKind: (key) => kind?.actionFor(key, area(), actions),
  finish,
  submit,
  reading,
  undo: () => find("undo")?.requestSubmit(),
  openGuidelines: () => openDialog("guidelines-dialog"),
  openKeys: () => openDialog("keys-dialog"),
};
listenToKeys(actions);
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
await showTask();
find("at-once-label").hidden = false;
find("open-keys").hidden = false;
find("prompt-title")?.focus({ preventScroll: true });
outbox.flush(area().dataset.lease);
ahead.fetch(area().dataset.lease);
