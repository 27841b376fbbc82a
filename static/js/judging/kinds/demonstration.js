// A demonstration: a text, counted and previewed as it is written, perhaps out of a suggestion.

import { sayLength } from "../words.js";

const PAUSE = 300;
let timeout;
let previewing = false;
let asked = 0;

const find = (id) => document.getElementById(id);

export function show(area) {
  const text = find("text");
  find("toggle-preview").hidden = false;
  find("toggle-preview").addEventListener("click", () => preview(area, !previewing));
  text.addEventListener("input", () => change(area));
  for (const input of area.querySelectorAll("[name=suggestion]")) input.addEventListener("change", () => startFrom(area, input.value));
  find("put-back")?.addEventListener("click", putBack);
  preview(area, previewing);
  count();
}

export function actionFor(key, area) {
  const suggestions = find("suggestions");
  const input = suggestions?.open && suggestions.querySelector(`[data-key="${key}"]`);
  if (input) return () => input.checked ? startFrom(area, input.value) : input.click();
  return {
    w: () => find("text").focus(),
    p: () => preview(area, !previewing),
    o: suggestions && (() => toggle(suggestions)),
  }[key];
}

function toggle(suggestions) {
  suggestions.open = !suggestions.open;
  if (suggestions.open) suggestions.querySelector("input:checked")?.focus();
}

function change(area) {
  count();
  clearTimeout(timeout);
  if (previewing) timeout = setTimeout(() => render(area), PAUSE);
}

function count() {
  const output = find("text-count");
  output.textContent = sayLength(find("text").value, Number(output.dataset.least) || 0);
}

function preview(area, on) {
  previewing = on;
  find("toggle-preview").setAttribute("aria-pressed", String(on));
  find("preview").hidden = !on;
  if (on) render(area);
}

// The server's own rendering, sanitised there like every text on this page.
async function render(area) {
  const body = new FormData();
  body.append("text", find("text").value);
  body.append("csrfmiddlewaretoken", find("answer").elements.csrfmiddlewaretoken.value);
  const url = area.querySelector("[data-preview]").dataset.preview;
  const number = ++asked;
  const answer = await fetch(url, { method: "POST", body }).catch(() => null);
  const html = answer?.ok && !answer.redirected ? await answer.text() : null;
  if (!area.isConnected || number !== asked) return; // a newer one is on its way
  if (html !== null) find("preview").innerHTML = html;
  else find("preview").textContent = "The preview needs the network. Your text is kept.";
}

// What was written before is one press away, and one undo of the browser's own.
function startFrom(area, letter) {
  const source = area.querySelector(`.suggestion-card[data-suggestion="${letter}"] script`);
  const text = find("text");
  if (!source) return;
  const suggestion = JSON.parse(source.textContent);
  if (text.value.trim() && text.value !== suggestion) {
    text.dataset.before = text.value;
    find("put-back").hidden = false;
  }
  write(text, suggestion);
  text.scrollTop = 0;
}

function putBack() {
  const text = find("text");
  find("put-back").hidden = true;
  find("suggestions").querySelector("[name=suggestion][value='']").checked = true;
  write(text, text.dataset.before);
}

function write(text, value) {
  text.focus();
  text.select();
  if (!document.execCommand("insertText", false, value)) text.setRangeText(value);
  text.setSelectionRange(0, 0);
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
