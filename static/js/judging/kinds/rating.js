// A rating: a digit answers the marked row and moves on, response by response; the arrows go back. One key a row.

const rows = (area) => [...area.querySelectorAll(".rating-row")];
const isAnswered = (row) => row.querySelector("input:checked") !== null;
const isOpen = (row) => !isAnswered(row) && !("left" in row.dataset);

export function show(area, page) {
  // A press on a cell is an answer; moving along the row with the arrow keys (a click without a pointer) only chooses.
  area.addEventListener("click", (event) => {
    const input = event.target.closest(".rating-cell")?.querySelector("input");
    if (!input || event.detail === 0 || event.target === input) return;
    event.preventDefault();
    answer(area, input, page);
  });
  for (const sign of ["focusin", "focusout", "change"]) area.addEventListener(sign, () => mark(area));
  mark(area);
}

export function actionFor(key, area, page) {
  const row = current(area);
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return focused(area) && (() => move(area, row, step));
  if (key === "0") return () => leaveOut(area, row, page);
  const input = row?.querySelector(`[data-key="${key}"]`);
  return input && (() => answer(area, input, page));
}

function answer(area, input, page) {
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  goOn(area, input.closest(".rating-row"), page);
}

function leaveOut(area, row, page) {
  const input = row.querySelector("input:checked") ?? row.querySelector("input");
  input.checked = false;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  if ("required" in row.dataset) return focusRow(row);
  row.dataset.left = "";
  goOn(area, row, page);
}

// On to the next row without an answer; when none is left, that is all.
function goOn(area, row, page) {
  const all = rows(area);
  const from = all.indexOf(row);
  const next = all.slice(from + 1).find(isOpen) ?? all.find(isOpen);
  if (next) focusRow(next);
  else page.finish();
}

function move(area, row, step) {
  const next = rows(area)[rows(area).indexOf(row) + step];
  if (next) focusRow(next);
}

const focused = (area) => rows(area).find((row) => row.contains(document.activeElement));

// The row that the next digit answers: the one with the focus, else the first without an answer, else the last.
function current(area) {
  const all = rows(area);
  return focused(area) ?? all.find(isOpen) ?? all.at(-1);
}

function focusRow(row) {
  (row.querySelector("input:checked") ?? row.querySelector("input")).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function mark(area) {
  const row = current(area);
  for (const other of rows(area)) other.classList.toggle("is-current", other === row);
}
