// One key, one judgement. No bare key acts while a text has the focus, while a dialog is open, or while sending.

const TEXT = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit], [type=button])";

const find = (id) => document.getElementById(id);
const KEYS = JSON.parse(document.querySelector("[data-keys]").dataset.keys); // {action: key}, as this person has set them
const AIDS = ["linked", "words", "source", "folded", "search"];

export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || document.querySelector("dialog[open]") || actions.isBusy()) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return act(event, actions.submit);
    if (event.key === "Escape") return leave();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TEXT)) return;
    const action = actionFor(event.key, actions, withShift(event));
    if (action) act(event, action);
  });
}

function act(event, action) {
  event.preventDefault();
  action();
}

// The other level of a digit's key, whatever the keyboard's layout writes there: "Shift+3".
function withShift({ key, code }) {
  return /^Digit[1-9]$/.test(code) && !/^[0-9]$/.test(key) ? `Shift+${code.at(-1)}` : key;
}

function actionFor(key, actions, shifted) {
  const skip = find("skip");
  const flags = document.querySelector(".flags.is-active");
  const digit = /^[0-9]$/.test(key);
  if (skip?.open && digit) return pressed(skip, `[data-key="${key}"]`, chooseReason);
  if (flags && digit) return pressed(flags, `label:nth-of-type(${key}) input`, toggle);
  if (flags && /^[a-i]$/.test(key) && document.querySelector(`.flags[data-side="${key}"]`)) return () => markFlags(key);
  const ofKind = actions.ofKind(shifted) ?? actions.ofKind(key);
  if (ofKind) return ofKind;
  if (key === "Enter") return goesOn(actions);
  const named = Object.keys(KEYS).find((name) => KEYS[name] === key);
  if (AIDS.includes(named)) return actions.reading && (() => actions.reading(named));
  return {
    skip: skip && (() => openSkip(skip)),
    undo: actions.undo,
    flag: () => markFlags(flags ? null : "a"),
    why: find("rationale") && (() => find("rationale").focus()),
    guidelines: actions.openGuidelines,
    keys: actions.openKeys,
  }[named];
}

// Enter goes on after an explained answer, and sends one that was asked about; on a button it presses the button.
function goesOn(actions) {
  if (document.activeElement?.closest("a, button, summary")) return null;
  const on = find("go-on");
  if (on) return () => on.click();
  return find("quick") && !find("quick").hidden ? actions.submit : null;
}

function pressed(root, selector, action) {
  const input = root.querySelector(selector);
  return input && (() => action(input));
}

function toggle(input) {
  input.click();
}

function chooseReason(input) {
  input.checked = true;
  const form = input.form;
  if (input.value === "other") form.elements.other.focus();
  else form.requestSubmit();
}

function openSkip(skip) {
  skip.open = !skip.open;
  if (skip.open) skip.querySelector("input[type=radio]").focus();
}

function markFlags(side) {
  for (const flags of document.querySelectorAll(".flags")) flags.classList.toggle("is-active", flags.dataset.side === side);
}

// Escape leaves a text, closes the reasons, ends the flags.
function leave() {
  const skip = find("skip");
  if (document.activeElement?.matches(TEXT) || skip?.open) find("prompt-title")?.focus({ preventScroll: true });
  if (skip) skip.open = false;
  markFlags(null);
}
