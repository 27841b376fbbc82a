// The curves of a run's page. Asks for the figures that are new, every two seconds until the run has ended.
// The charts to draw come with the figures; the table below them says the same without JavaScript.

import { draw, keepFitting, panel } from "./plots.js";

const POLL = 2000;
const place = document.getElementById("curves");
const figures = { train: new Map(), eval: new Map() }; // kind -> step -> data
let plots = [];
let last = 0;
let total = 1; // steps of the whole run

function linesOf(chart) {
  return chart.series
    .map((line, at) => ({ ...line, color: (at % 6) + 1, held: line.kind === "eval", values: valuesOf(line) }))
    .filter((line) => line.values.size)
    .map((line) => ({ ...line, key: line.kind + line.key }));
}

function valuesOf(line) {
  return new Map([...figures[line.kind]].map(([step, data]) => [step, data[line.key]]).filter(([, value]) => typeof value === "number"));
}

function show(afresh = false) {
  for (const item of plots) draw(place, item, linesOf(item.chart), total, afresh);
}

async function poll() {
  let answer;
  do {
    const reply = await fetch(`${place.dataset.url}?after=${last}`, { headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    answer = await reply.json();
    last = answer.last;
    total = answer.total || 1;
    for (const event of answer.events) figures[event.kind].set(event.step, event.data);
  } while (answer.more);
  if (plots.length === 0) plots = answer.charts.map((chart) => ({ ...panel(place, chart.title, chart.help), chart }));
  show();
  return answer.ended;
}

async function follow() {
  try {
    if (await poll()) return;
  } catch (error) {
    console.warn(`The run's figures could not be fetched; trying again. ${error}`);
  }
  setTimeout(follow, POLL);
}

if (place) {
  await follow();
  keepFitting(place, () => plots, () => show(true));
}
