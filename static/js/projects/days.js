// Judgements a day as bars, drawn from the table below them, which says the same without JavaScript.

import { colourOf, onThemeChange } from "../theme.js";

const place = document.getElementById("days-chart");
const table = document.getElementById("days-table");
const HEIGHT = 180;
let plot = null;

const rows = [...table.querySelectorAll("[data-day]")].reverse();
const days = rows.map((row) => Date.parse(`${row.dataset.day}T00:00:00Z`) / 1000);
const counts = rows.map((row) => Number(row.dataset.count));

function options() {
  const axis = { stroke: colourOf(place, "muted"), ticks: { show: false }, font: "12px system-ui" };
  const bar = colourOf(place, "series-1");
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: true, live: true },
    cursor: { y: false, points: { show: false } },
    tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { time: true, range: (_, low, high) => [low - 43200, high + 43200] }, y: { range: (_, low, high) => [0, Math.max(high, 4) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, values: "{D} {MMM}" },
      { ...axis, size: 48, grid: { stroke: colourOf(place, "chart-grid"), width: 1 }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] },
    ],
    series: [
      { label: "Day", value: "{WWW} {D} {MMM}" },
      { label: "Judgements", stroke: bar, width: 0, fill: bar, paths: window.uPlot.paths.bars({ size: [0.7, 48] }), points: { show: false }, value: (_, count) => count?.toLocaleString() ?? "–" },
    ],
  };
}

function draw() {
  plot?.destroy();
  plot = new window.uPlot(options(), [days, counts], place);
}

place.hidden = false;
table.open = false;
draw();
new ResizeObserver(() => {
  if (place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: HEIGHT });
}).observe(place);
onThemeChange(draw);
