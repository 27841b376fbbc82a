// The fields for keys: what is pressed in one becomes its key.

document.getElementById("keys-form").addEventListener("keydown", (event) => {
  if (!("keyField" in event.target.dataset) || event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.target.value = event.key;
});
