// What every page does beyond its HTML: theme switch, dismissible messages, focus on errors, menus that close.

const THEMES = ["system", "light", "dark"];

function showTheme(button) {
  const theme = document.documentElement.dataset.theme || "system";
  button.textContent = `Theme: ${theme}`;
}

function nextTheme(button) {
  const now = document.documentElement.dataset.theme || "system";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("theme");
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
  }
  showTheme(button);
  document.dispatchEvent(new CustomEvent("themechange"));
}

function prepare(root) {
  for (const button of root.querySelectorAll("[data-dismiss]")) button.hidden = false;
  root.querySelector("[data-focus]")?.focus();
}

const themeSwitch = document.querySelector("[data-theme-switch]");
if (themeSwitch) {
  themeSwitch.hidden = false;
  showTheme(themeSwitch);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-switch]")) nextTheme(themeSwitch);
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => (copy.textContent = "Copied"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("htmx:afterSwap", (event) => prepare(event.detail.elt));

// A request that failed outright says so where the person is looking.
document.addEventListener("htmx:responseError", (event) => say(`The server answered ${event.detail.xhr.status}. Reload the page and try again.`));
document.addEventListener("htmx:sendError", () => say("The server cannot be reached. Nothing was lost here; try again in a moment."));

function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast callout callout-danger";
  toast.append(Object.assign(document.createElement("p"), { textContent: text }));
  document.getElementById("messages")?.replaceChildren(toast);
}

prepare(document);
