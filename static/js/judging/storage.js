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
