// What has been typed and not sent, kept in this browser until it is. A full or forbidden store is no reason to stop.

const key = (form) => `plumbline:chat:${form.dataset.keep}`;
const CONTROL = ["csrfmiddlewaretoken", "submission_id", "active_seconds", "chat", "seen_a", "seen_b"];

export function keep(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) if (!CONTROL.includes(name)) (fields[name] ??= []).push(value);
  try {
    localStorage.setItem(key(form), JSON.stringify(fields));
  } catch (error) {
    console.warn("This browser keeps nothing:", error.name);
  }
}

export function forget(form) {
  localStorage.removeItem(key(form));
}

export function restore(form) {
  const text = localStorage.getItem(key(form));
  if (!text) return;
  const fields = JSON.parse(text);
  for (const element of form.elements) {
    if (!element.name || CONTROL.includes(element.name)) continue;
    const values = fields[element.name] ?? [];
    if (element.type === "radio" || element.type === "checkbox") element.checked = values.includes(element.value);
    else element.value = values[0] ?? element.value;
  }
}
