// Reading aids for long texts: both panes scroll together, words compared, the source shown, the prompt folded, a search
// through everything, a text copied. Loaded on first use; what is switched on stays on for the next tasks.

import { say } from "./state.js";

const KEPT = "plumbline:reading";
const find = (id) => document.getElementById(id);
const area = () => find("judging");
const panes = () => [...area().querySelectorAll(".pane-text")];
const on = new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
const texts = { lease: null, told: null };

document.addEventListener("scroll", (event) => on.has("linked") && follow(event.target), { capture: true, passive: true });
find("reading-find").addEventListener("submit", (event) => (event.preventDefault(), event.stopPropagation(), step(1)));
find("reading-sought").addEventListener("input", () => search());
find("reading-sought").addEventListener("keydown", (event) => {
  if (event.key === "Escape") act("close");
  else if (event.key === "Enter" && event.shiftKey) (event.preventDefault(), step(-1));
});

// Everything by name: a switch, or something done at once.
export async function act(name) {
  if (name === "search") return search();
  if (name === "close") return closeSearch();
  if (name === "previous") return step(-1);
  if (name.startsWith("copy-")) return copy(name.at(-1));
  if (!on.delete(name)) on.add(name);
  if (name === "words" && on.has(name)) on.delete("source");
  if (name === "source" && on.has(name)) on.delete("words");
  localStorage.setItem(KEPT, JSON.stringify([...on]));
  await show();
}

// What is switched on, for the task shown now.
export async function show() {
  for (const button of find("reading").querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", String(on.has(button.dataset.reading)));
  for (const button of find("reading").querySelectorAll("[data-reading^=copy-]")) button.hidden = !area().querySelector(`[data-letter="${button.dataset.reading.at(-1)}"]`);
  area().classList.toggle("is-folded", on.has("folded"));
  for (const written of area().querySelectorAll(".as-written")) written.remove();
  const wanted = ["words", "source"].find((name) => on.has(name)) ?? "";
  area().dataset.shows = "";
  if (wanted && panes().length) await showWritten(wanted);
  if (!find("reading-find").hidden) search();
}

async function showWritten(wanted) {
  const told = await getTexts();
  if (!told) return;
  const letters = Object.keys(told.responses);
  const pieces = wanted === "words" ? await compare(letters.map((letter) => told.responses[letter])) : letters.map((letter) => [told.responses[letter]]);
  if (!pieces) return say("Words are compared between two responses", "warning");
  letters.forEach((letter, place) => written(area().querySelector(`[data-letter="${letter}"] .pane-text`), pieces[place]));
  if (wanted === "source") area().querySelectorAll(".judging-turns .prose").forEach((turn, place) => written(turn, [told.turns[place]]));
  area().dataset.shows = wanted;
}

function written(beside, pieces) {
  if (!beside) return;
  const block = Object.assign(document.createElement("pre"), { className: "plain as-written" });
  block.append(...pieces);
  beside.append(block);
}

// For each of two texts its pieces, those the other lacks marked.
async function compare(both) {
  if (both.length !== 2) return null;
  const { diffWords } = await import("./word_diff.js");
  const sides = { gone: [], new: [] };
  for (const { sort, text } of diffWords(...both)) {
    if (sort === "same") (sides.gone.push(text), sides.new.push(text));
    else sides[sort].push(Object.assign(document.createElement("mark"), { className: "differs", textContent: text }));
  }
  return [sides.gone, sides.new];
}

async function getTexts() {
  const { lease } = area().dataset;
  if (texts.lease === lease) return texts.told;
  const answer = await fetch(`${find("reading").dataset.texts}?lease=${lease}`).catch(() => null);
  if (!answer?.ok || answer.redirected) return void say("The texts cannot be fetched just now; try again in a moment", "warning");
  Object.assign(texts, { lease, told: await answer.json() });
  return texts.told;
}

async function copy(letter) {
  const text = (await getTexts())?.responses[letter];
  if (text === undefined) return;
  await navigator.clipboard.writeText(text).then(() => say(`Copied ${letter}`, "saved"), () => say("This browser does not let the page copy", "warning"));
}

// By proportion: half-way down the one is half-way down the others.
const moved = new WeakMap();

function follow(source) {
  if (!source.matches?.(".pane-text") || Math.abs((moved.get(source) ?? -9) - source.scrollTop) < 2) return moved.delete(source);
  const share = source.scrollTop / Math.max(1, source.scrollHeight - source.clientHeight);
  for (const other of panes()) {
    if (other === source) continue;
    other.scrollTop = share * (other.scrollHeight - other.clientHeight);
    moved.set(other, other.scrollTop);
  }
}

let found = [];
let current = 0;

function closeSearch() {
  find("reading-find").hidden = true;
  CSS.highlights.clear();
  find("prompt-title")?.focus({ preventScroll: true });
}

function search() {
  const sought = find("reading-sought").value.toLocaleLowerCase();
  found = sought ? [...area().querySelectorAll(".judging-turns, .pane-text")].flatMap((text) => rangesIn(text, sought)) : [];
  current = 0;
  mark();
}

function rangesIn(root, sought) {
  const ranges = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.checkVisibility()) continue;
    const text = node.data.toLocaleLowerCase();
    for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) {
      const range = new Range();
      range.setStart(node, Math.min(at, node.length));
      range.setEnd(node, Math.min(at + sought.length, node.length));
      ranges.push(range);
    }
  }
  return ranges;
}

function step(direction) {
  if (!found.length) return;
  current = (current + direction + found.length) % found.length;
  mark();
}

function mark() {
  CSS.highlights.set("found", new Highlight(...found));
  CSS.highlights.set("found-now", new Highlight(...found.slice(current, current + 1)));
  find("reading-found").textContent = find("reading-sought").value ? (found.length ? `${current + 1} of ${found.length}` : "Nothing") : "";
  found[current]?.startContainer.parentElement.scrollIntoView({ block: "nearest" });
}
