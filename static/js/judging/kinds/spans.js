// Fine-grained feedback: choose words, press a category; the hidden field `spans` is the list of what is marked.

import { announce } from "../state.js";
import { codePoints, codeUnits, MarkedText } from "./spans-text.js";

const COLOURS = 6;
const EXCERPT = 160;
const find = (id) => document.getElementById(id);
const buttons = () => [...find("mark-bar").children];
const severities = () => [...(find("mark-template").content.querySelector("[data-part=severity]")?.options ?? [])].map(({ value }) => value);

let text = null;
let severity = "";

export function show() {
  find("quote-rows").remove();
  find("mark-bar").hidden = find("marking-help").hidden = false;
  if (matchMedia("(pointer: coarse)").matches) find("marking-help").textContent = "Tap the first word, then the last, then a category.";
  const source = JSON.parse(find("marked-source").textContent);
  text = new MarkedText(find("marked-text"), source, (words) => announce(words.slice(0, EXCERPT)));
  text.element.setAttribute("role", "application");
  text.marks = stored(source);
  for (const button of buttons()) {
    button.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the selection
    button.addEventListener("click", () => mark(button.dataset.category));
  }
  find("marks").addEventListener("click", press);
  find("marks").addEventListener("input", change);
  find("marks").addEventListener("focusin", (event) => makeCurrent(markOf(event.target)));
  list();
}

export function actionFor(key) {
  const button = find("mark-bar").querySelector(`[data-key="${key}"]`);
  if (button) return () => mark(button.dataset.category);
  const current = text.current;
  return {
    n: () => text.enter(),
    c: find("critique") && (() => find("critique").focus()),
    v: current && (() => nextSeverity(current)),
    Backspace: current && (() => remove(current)),
    Delete: current && (() => remove(current)),
    e: current && (() => entryOf(current).querySelector("[data-part=note]").focus()),
    "[": () => step(-1),
    "]": () => step(1),
  }[key];
}

function stored(source) {
  const entries = JSON.parse(find("spans").value || "[]");
  return entries.map(({ start, end, category, severity: how, note }) => ({
    from: codeUnits(source, start), to: codeUnits(source, end), category, severity: how ?? "", note: note ?? "",
  }));
}

// The field holds what is marked; the draft and the form take it from there.
function store() {
  const { source, marks } = text;
  const entries = marks.map(({ from, to, category, severity: how, note }) => ({
    start: codePoints(source, from), end: codePoints(source, to), text: source.slice(from, to), category, severity: how, note,
  }));
  find("spans").value = JSON.stringify(entries);
  find("spans").dispatchEvent(new Event("input", { bubbles: true }));
}

function mark(category) {
  const chosen = text.chosen();
  if (!chosen) {
    announce("Choose words in the response first: press n, then the arrow keys.");
    text.enter();
    return;
  }
  const known = text.marks.find(({ from, to, category: other }) => from === chosen.from && to === chosen.to && other === category);
  const severityNow = severities().includes(severity) ? severity : severities()[0] ?? "";
  const marked = known ?? { ...chosen, category, severity: severityNow, note: "" };
  if (!known) text.marks.push(marked);
  text.current = marked;
  text.choose(chosen);
  announce(`Marked ${category}${marked.severity ? `, ${marked.severity}` : ""}.`);
  save();
}

function save() {
  const wasInList = find("marks").contains(document.activeElement);
  text.marks.sort((one, other) => one.from - other.from || one.to - other.to);
  list();
  if (wasInList) text.element.focus({ preventScroll: true });
  store();
}

function remove(marked) {
  const place = text.marks.indexOf(marked);
  text.marks.splice(place, 1);
  text.current = text.marks[Math.min(place, text.marks.length - 1)] ?? null;
  announce(`Removed ${marked.category}.`);
  save();
}

function nextSeverity(marked) {
  const all = severities();
  if (!all.length) return;
  marked.severity = severity = all[(all.indexOf(marked.severity) + 1) % all.length];
  announce(marked.severity);
  save();
}

function step(by) {
  const { marks, current } = text;
  if (!marks.length) return;
  const place = current ? (marks.indexOf(current) + by + marks.length) % marks.length : by > 0 ? 0 : marks.length - 1;
  makeCurrent(marks[place]);
  text.choose({ from: marks[place].from, to: marks[place].to });
}

function makeCurrent(marked) {
  if (!marked || marked === text.current) return;
  text.current = marked;
  text.draw();
  for (const entry of find("marks").children) entry.classList.toggle("is-current", markOf(entry) === marked);
  entryOf(marked).scrollIntoView({ block: "nearest" });
}

function press(event) {
  const marked = markOf(event.target);
  if (event.target.closest("[data-remove]")) remove(marked);
  else if (event.target.closest(".mark-quote")) text.choose({ from: marked.from, to: marked.to });
}

function change(event) {
  const marked = markOf(event.target);
  const { part } = event.target.dataset;
  marked[part] = event.target.value;
  if (part === "severity") severity = marked.severity;
  paint(marked, entryOf(marked));
  text.draw();
  store();
}

const entryOf = (marked) => find("marks").children[text.marks.indexOf(marked)];
const markOf = (element) => text.marks[[...find("marks").children].indexOf(element.closest("li"))];

function list() {
  const entries = text.marks.map((marked) => {
    const entry = find("mark-template").content.firstElementChild.cloneNode(true);
    paint(marked, entry);
    return entry;
  });
  find("marks").replaceChildren(...entries);
  find("marks-empty").hidden = entries.length > 0;
  find("marks-count").textContent = entries.length || "";
  text.draw();
  if (text.current) entryOf(text.current)?.scrollIntoView({ block: "nearest" });
}

function paint(marked, entry) {
  const colour = buttons().findIndex(({ dataset }) => dataset.category === marked.category);
  marked.colour = (Math.max(colour, 0) % COLOURS) + 1;
  entry.className = `mark-entry mark-${marked.colour}`;
  entry.classList.toggle("is-current", marked === text.current);
  entry.querySelector(".mark-quote").textContent = text.source.slice(marked.from, marked.to);
  for (const field of entry.querySelectorAll("[data-part]")) if (field.value !== marked[field.dataset.part]) field.value = marked[field.dataset.part];
}
