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
  if (rows(area).length > 1) addSteps(area);
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
  if (next) focusRow(area, next);
  else page.finish();
}

// The row that the next digit answers: the one with the focus, else the first without an answer, else the overall one.
function current(area) {
  const all = rows(area);
  return all.find((row) => row.contains(document.activeElement)) ?? all.find((row) => !isAnswered(row)) ?? all.at(-1);
}

function focusRow(area, row) {
  mark(area, row); // on a narrow screen the others are hidden, and what is hidden takes no focus
  (row.querySelector("input:checked") ?? row.querySelector("input")).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function mark(area, row = current(area)) {
  const all = rows(area);
  if (all.length < 2) return;
  for (const other of all) other.classList.toggle("is-current", other === row);
  const steps = area.querySelector(".strip-steps");
  row.querySelector("legend").after(steps);
  all.forEach((other, place) => {
    steps.children[place].classList.toggle("is-answered", isAnswered(other));
    steps.children[place].setAttribute("aria-current", String(other === row));
  });
}

// For narrow screens, where one row is shown at a time: a button for each.
function addSteps(area) {
  const steps = Object.assign(document.createElement("div"), { className: "strip-steps" });
  for (const row of rows(area)) {
    const step = Object.assign(document.createElement("button"), { type: "button", className: "strip-step" });
    step.textContent = row.querySelector("legend").textContent;
    step.addEventListener("click", () => focusRow(area, row));
    steps.append(step);
  }
  rows(area)[0].append(steps);
  area.querySelector(".judging-foot").classList.add("has-steps");
}
