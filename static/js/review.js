/* Reviewing: `v` shows and hides what people said. No key acts while something is typed. */

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select");
  if (event.key !== "v" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector("[data-answers]").click();
});
