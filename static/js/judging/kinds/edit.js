// An edit: the copy is typed in, and beside it the original shows what has changed, word by word.

import { diffWords } from "../word_diff.js";
import { countWords, sayLength } from "../words.js";

const PAUSE = 120;
let timeout;
let wanted = true; // whether this person wants to see changes rather than the original

const find = (id) => document.getElementById(id);

export function show(area) {
  find("toggle-changes").hidden = false;
  find("toggle-changes").addEventListener("click", toggle);
  find("text").addEventListener("input", () => {
    clearTimeout(timeout);
    timeout = setTimeout(() => area.isConnected && mark(), PAUSE);
  });
  mark();
}

export function actionFor(key) {
  return { w: () => find("text").focus(), d: toggle }[key];
}

function toggle() {
  wanted = find("changes").hidden;
  mark();
}

function mark() {
  const text = find("text").value;
  const original = JSON.parse(find("original-text").textContent).replace(/\r\n?/g, "\n");
  const pieces = diffWords(original, text);
  const isChanged = text !== original;
  find("changes").replaceChildren(...pieces.map(drawn));
  find("changes").hidden = !(wanted && isChanged);
  find("original").hidden = !find("changes").hidden;
  find("toggle-changes").disabled = !isChanged;
  find("toggle-changes").setAttribute("aria-pressed", String(!find("changes").hidden));
  find("changes-count").textContent = isChanged ? `−${wordsOf(pieces, "gone")} +${wordsOf(pieces, "new")} words` : "unchanged";
  find("text-count").textContent = sayLength(text, 0);
}

function drawn({ sort, text }) {
  if (sort === "same") return document.createTextNode(text);
  const element = document.createElement(sort === "gone" ? "del" : "ins");
  element.textContent = text;
  return element;
}

function wordsOf(pieces, sort) {
  return pieces.reduce((sum, piece) => sum + (piece.sort === sort ? countWords(piece.text) : 0), 0);
}
