// The judging page beyond its HTML. Everything here only fills in and sends the forms that are there without it.

import { Draft } from "./draft.js";
import { listenToKeys } from "./keys.js";
import { Lease } from "./lease.js";
import { Outbox } from "./outbox.js";
import { adjustProgress, announce, say } from "./state.js";
import { Timer } from "./timer.js";

const page = document.getElementById("judge");
const atOnce = document.getElementById("at-once");
const timer = new Timer();
const draft = new Draft(page.dataset.draft, () => timer.seconds());
const lease = new Lease(page.dataset, () => timer.idleSeconds());
const outbox = new Outbox(page, { sent: (id) => draft.forget(id) });

const find = (id) => document.getElementById(id);
const area = () => find("judging");

function showTask() {
  const form = find("answer");
  const id = area().dataset.lease ?? null;
  draft.follow(form, id);
  lease.follow(form, id, area().dataset.heldUntil);
  showLastTurn();
  timer.restart(Number(form?.elements.active_seconds.value) || 0);
}

// A long conversation opens at its last turn, the one that was answered.
function showLastTurn() {
  const turns = area().querySelector(".judging-turns");
  if (turns) turns.scrollTop = turns.lastElementChild.offsetTop - turns.firstElementChild.offsetTop;
}

function welcomeTask() {
  const happened = area().dataset.event;
  const errors = area().querySelector(".errorlist");
  adjustProgress(happened, { next: Boolean(area().dataset.lease), answered: Boolean(area().querySelector("input[name=choice]:checked")) });
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

function choose(input) {
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
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

// A press on the strip is an answer; moving along it with the arrow keys (a click without a pointer) only chooses.
page.addEventListener("click", (event) => {
  const input = event.target.closest(".point")?.querySelector("input");
  if (input && event.detail > 0 && event.target !== input) {
    event.preventDefault();
    choose(input);
  }
  const guidelines = event.target.closest("#open-guidelines");
  if (guidelines && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog("guidelines-dialog");
  }
  if (event.target.closest("#open-keys")) openDialog("keys-dialog");
});

page.addEventListener("submit", (event) => {
  const seconds = event.target.elements.active_seconds;
  if (seconds) seconds.value = timer.seconds().toFixed(1);
}, true);

page.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "judging" && event.detail.elt.id !== "judging") return;
  showTask();
  welcomeTask();
});

atOnce.checked = (localStorage.getItem("plumbline:at-once") ?? String(matchMedia("(pointer: fine)").matches)) === "true";
atOnce.addEventListener("change", () => localStorage.setItem("plumbline:at-once", String(atOnce.checked)));
find("at-once-label").hidden = false;
find("open-keys").hidden = false;

listenToKeys({
  isBusy: () => outbox.busy,
  choose,
  submit,
  undo: () => find("undo")?.requestSubmit(),
  openGuidelines: () => openDialog("guidelines-dialog"),
  openKeys: () => openDialog("keys-dialog"),
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
showTask();
find("prompt-title")?.focus({ preventScroll: true });
outbox.flush(area().dataset.lease);
