// A comparison: a digit answers the current row, the named dimensions first and the overall answer last, and moves on.

const rows = (area) => [...area.querySelectorAll(".strip-row")];
const isAnswered = (row) => row.querySelector("input:checked") !== null;

export function show(area, page) {
  // A press on the strip is an answer; moving along it with the arrow keys (a click without a pointer) only chooses.
  area.addEventListener("click", (event) => {
    const input = event.target.closest(".point")?.querySelector("input");
    if (!input || event.detail === 0 || event.target === input) return;
    event.preventDefault();
    choose(area, input, page);
  });
  area.addEventListener("focusin", () => mark(area));
  area.addEventListener("change", () => mark(area));
  mark(area);
}

export function actionFor(key, area, page) {
  const input = current(area)?.querySelector(`.point [data-key="${key}"]`);
  return input && (() => choose(area, input, page));
}

function choose(area, input, page) {
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  const next = rows(area).find((other) => !isAnswered(other));
  if (next) focusRow(next);
  else page.finish();
}

// The row that the next digit answers: the one with the focus, else the first without an answer, else the overall one.
function current(area) {
  const all = rows(area);
  return all.find((row) => row.contains(document.activeElement)) ?? all.find((row) => !isAnswered(row)) ?? all.at(-1);
}

function focusRow(row) {
  row.querySelector("input").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function mark(area) {
  const all = rows(area);
  if (all.length < 2) return;
  const row = current(area);
  for (const other of all) other.classList.toggle("is-current", other === row);
}
