// What the page says about itself (saved, sending, offline; to screen readers, the next task) and what it keeps.

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

// Between heartbeats and undos, which bring the true figures, the page counts along.
export function adjustProgress(happened, { next }) {
  const done = happened === "judged" ? 1 : 0;
  for (const id of ["done-today", "done-total"]) add(id, done);
  if (next && (happened === "judged" || happened === "skipped")) add("waiting", -1);
}

function add(id, change) {
  const text = find(id).textContent;
  if (change && /^\d+$/.test(text)) find(id).textContent = Math.max(0, Number(text) + change);
}

// Small things kept in this browser under "plumbline:<sort>:<lease>". A full or forbidden store is no reason to stop.

const MONTH = 30 * 24 * 3600 * 1000;

const key = (sort, id) => `plumbline:${sort}:${id}`;

export function remember(sort, id, value) {
  try {
    localStorage.setItem(key(sort, id), JSON.stringify({ ...value, at: Date.now() }));
  } catch (error) {
    console.warn("This browser keeps nothing:", error.name);
  }
}

export function recall(sort, id) {
  const text = localStorage.getItem(key(sort, id));
  return text ? JSON.parse(text) : null;
}

export function forget(sort, id) {
  localStorage.removeItem(key(sort, id));
}

export function all(sort) {
  const prefix = key(sort, "");
  return Object.keys(localStorage).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

export function forgetOld(sort) {
  for (const id of all(sort)) if (Date.now() - (recall(sort, id)?.at ?? 0) > MONTH) forget(sort, id);
}
