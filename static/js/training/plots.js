// Plots of a run's figures, for its page and for runs side by side. Colours come from the style sheet.

import { colourOf, onThemeChange } from "../theme.js";

const HEIGHT = 180;
const latest = (plot, series) => plot.data[series].findLast((value) => value !== null);
const short = (value) => (value === null || value === undefined ? "–" : Math.abs(value) > 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : Number(value.toPrecision(4)).toString());

/** A figure with a title and a sentence; `body` takes the plot. */
export function panel(place, title, help) {
  const box = document.createElement("figure");
  box.className = "panel curve";
  const caption = document.createElement("figcaption");
  const strong = document.createElement("strong");
  strong.textContent = title;
  const words = document.createElement("span");
  words.className = "muted small";
  words.textContent = help;
  caption.append(strong, words);
  const body = document.createElement("div");
  box.append(caption, body);
  place.append(box);
  return { box, body, plot: null, shown: "" };
}

/** Draw `lines` in a panel, or only their new data when they are the same lines.
 *  lines: [{ key, label, color, held, values: Map(step -> number) }]; color is 1 to 6; total: steps of the whole run. */
export function draw(place, item, lines, total, afresh = false) {
  item.box.hidden = lines.length === 0;
  if (lines.length === 0) return;
  const steps = [...new Set(lines.flatMap((line) => [...line.values.keys()]))].sort((a, b) => a - b);
  const data = [steps, ...lines.map((line) => steps.map((step) => line.values.get(step) ?? null))];
  const shown = lines.map((line) => line.key).join();
  if (item.plot && shown === item.shown && !afresh && steps.length > 2) {
    item.plot.setData(data);
    return;
  }
  item.plot?.destroy();
  item.plot = new window.uPlot(options(place, lines, total, item.body.clientWidth), data, item.body);
  item.shown = shown;
}

function options(place, lines, total, width) {
  const axis = { stroke: colourOf(place, "muted"), grid: { stroke: colourOf(place, "curve-grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    width,
    height: HEIGHT,
    legend: { live: true },
    cursor: { points: { size: 6 }, y: false },
    scales: { x: { time: false, range: (_, low, high) => (low === high ? [0, Math.max(total, high)] : [low, high]) } },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick : "")) },
      { ...axis, size: 54, values: (_, ticks) => ticks.map(short) },
    ],
    series: [
      { label: "Step", value: (plot, value) => value ?? latest(plot, 0) },
      ...lines.map((line) => {
        const stroke = colourOf(place, `series-${line.color}`);
        return {
          label: line.label,
          stroke,
          width: line.held ? 2 : 1.5,
          dash: line.held ? [6, 4] : undefined,
          spanGaps: true,
          points: { show: line.held || line.values.size < 2, size: 6, fill: stroke },
          value: (plot, value, series, at) => short(at === null ? latest(plot, series) : value),
        };
      }),
    ],
  };
}

/** Keep plots as wide as their panels and in the colours of the theme. */
export function keepFitting(place, items, redraw) {
  new ResizeObserver(() => {
    for (const { plot, body } of items()) if (plot && body.clientWidth && body.clientWidth !== plot.width) plot.setSize({ width: body.clientWidth, height: HEIGHT });
  }).observe(place);
  onThemeChange(redraw);
}
