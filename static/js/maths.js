// Mathematics: what the server marked as `.math`, \( \) within a line and \[ \] apart, drawn by KaTeX. The text is
// anybody's: nothing in it may load, link or define without end, and what KaTeX cannot read stays as it was written.

const FOLDER = new URL("../vendor/katex-0.19.1/", import.meta.url);
const LIMITS = { throwOnError: true, trust: false, strict: "ignore", maxExpand: 200, maxSize: 20 };

let katex = null;

export async function renderMaths(scope) {
  if (!scope.querySelector(".math:not([data-drawn])")) return;
  await (katex ??= load());
  for (const formula of scope.querySelectorAll(".math:not([data-drawn])")) draw(formula); // who else waited may have drawn some
}

async function load() {
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("katex.min.css", FOLDER) });
  document.head.append(sheet);
  await import(new URL("katex.min.js", FOLDER));
}

function draw(formula) {
  const text = formula.textContent;
  formula.dataset.drawn = "";
  try {
    window.katex.render(text.slice(2, -2), formula, { ...LIMITS, displayMode: text.startsWith("\\[") });
  } catch {
    formula.textContent = text;
    formula.classList.add("math-unread");
  }
}
