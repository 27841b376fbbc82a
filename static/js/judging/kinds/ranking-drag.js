// Chips dragged by mouse, pen or finger: onto a tier, between two tiers, or back to those that are left.

const THRESHOLD = 6; // px; less is a press

export function followDrags(root, drop) {
  let drag = null;

  root.addEventListener("pointerdown", (event) => {
    const chip = event.target.closest(".chip");
    if (chip && event.button === 0) drag = { chip, x: event.clientX, y: event.clientY, moved: false };
  });
  root.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < THRESHOLD) return;
    if (!drag.moved) begin(event);
    drag.chip.style.transform = `translate(${dx}px, ${dy}px)`;
    mark(root, targetAt(event));
  });
  root.addEventListener("pointerup", (event) => {
    if (!drag?.moved) return void (drag = null);
    const { letter } = drag.chip.dataset;
    const target = targetAt(event);
    end();
    if (target) drop(letter, meaning(target));
  });
  root.addEventListener("pointercancel", () => drag && end());
  root.addEventListener("dragstart", (event) => event.preventDefault());

  function begin(event) {
    drag.moved = true;
    root.setPointerCapture(event.pointerId);
    root.classList.add("is-dragging");
    drag.chip.classList.add("is-dragged");
    // The click that follows a drag is none.
    root.addEventListener("click", swallow, { capture: true, once: true });
  }

  function end() {
    drag.chip.classList.remove("is-dragged");
    drag.chip.style.transform = "";
    root.classList.remove("is-dragging");
    mark(root, null);
    setTimeout(() => root.removeEventListener("click", swallow, { capture: true }));
    drag = null;
  }

  function targetAt({ clientX, clientY }) {
    const target = document.elementFromPoint(clientX, clientY)?.closest(".tier, .gap, .ranking-left, .ranking-order");
    return root.contains(target) ? target : null;
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function meaning(target) {
  if (target.matches(".ranking-left")) return { left: true };
  if (target.matches(".tier")) return { tier: Number(target.dataset.tier) };
  return { at: Number(target.matches(".gap") ? target.dataset.at : target.children.length) };
}

function mark(root, target) {
  for (const other of root.querySelectorAll(".is-target")) if (other !== target) other.classList.remove("is-target");
  target?.classList.add("is-target");
}
