// Every page: the theme switch, menus and dialogs that close, toasts for requests that failed. Pages work without it.

const root = document.documentElement;

function chooseTheme(form, theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  const body = new FormData(form);
  body.set("theme", theme);
  fetch(form.action, { method: "POST", body, redirect: "manual" });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-theme-switch]") && event.submitter) {
    event.preventDefault();
    chooseTheme(form, event.submitter.value);
  }
});

// A details.menu closes on Escape and on a click elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest("[data-opens-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opensDialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
  }
  if (event.target.closest("[data-closes-dialog]")) event.target.closest("dialog")?.close();
  const copier = event.target.closest("[data-copies]");
  if (copier) copyFrom(copier);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// <button data-copies="id" hidden> copies what the element with that id shows or holds.
async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = "Copied";
  } catch {
    source.select?.();
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = label), 2000);
}

// A form with data-confirm asks first.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}, true);

export function toast(text, kind = "info") {
  const box = document.createElement("div");
  box.className = `toast callout callout-${kind}`;
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  const close = Object.assign(document.createElement("button"), { type: "button", className: "link-button", textContent: "Close" });
  close.addEventListener("click", () => box.remove());
  box.append(close);
  document.getElementById("messages").append(box);
}

document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Nothing was lost on this page; try again in a moment.", "danger"));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  const text = { 403: "You may not do this. Reload the page: your session or your role may have changed.", 404: "This is not there any more. Reload the page." };
  toast(text[status] ?? `The server answered with an error (${status}). Try again, or reload the page.`, "danger");
});
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.kind));

function enhance(scope) {
  for (const element of scope.querySelectorAll("[data-needs-script]")) element.hidden = false;
  scope.querySelector("[data-focus]")?.focus();
  if (scope.querySelector(".math")) import("./maths.js").then(({ renderMaths }) => renderMaths(scope));
  for (const tab of scope.querySelectorAll(".tabs [aria-current]")) tab.scrollIntoView({ block: "nearest", inline: "center" });
}
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
enhance(document);
