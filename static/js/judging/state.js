// What the page says about itself: saved, sending, offline; and to screen readers, the next task.

const find = (id) => document.getElementById(id);

export function say(text, tone = "quiet") {
  const state = find("state");
  state.textContent = text;
  state.dataset.tone = tone;
}

export function announce(text) {
  find("announcer").textContent = text;
}

export function showProgress({ today, total, waiting }) {
  find("done-today").textContent = today;
  find("done-total").textContent = total;
  find("waiting").textContent = waiting;
}

// Between two heartbeats, which bring the true figures, the page counts along.
export function adjustProgress(happened, { next, answered }) {
  const done = happened === "judged" ? 1 : happened?.startsWith("undone") && answered ? -1 : 0;
  for (const id of ["done-today", "done-total"]) add(id, done);
  if (next && (happened === "judged" || happened === "skipped")) add("waiting", -1);
}

function add(id, change) {
  const text = find(id).textContent;
  if (change && /^\d+$/.test(text)) find(id).textContent = Math.max(0, Number(text) + change);
}
