// An answer that comes faster than its texts can be looked through is asked about once, and never refused.

export function asksFirst(area, seconds) {
  const line = area.querySelector("#quick");
  if (!line?.hidden || seconds >= Number(line.dataset.least)) return false;
  line.hidden = false;
  return true;
}
