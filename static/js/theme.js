// What charts need of the page's theme: a colour of the style sheet, and to be told when it changes.

/** The colour that class `name` has inside `place`. */
export function colourOf(place, name) {
  const probe = document.createElement("span");
  probe.className = name;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Call `redraw` when the page turns light or dark. */
export function onThemeChange(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
