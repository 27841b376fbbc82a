// Curves of several runs over each other: a colour a run, held out dashed. The tables of the page say where they end.

import { draw, keepFitting, panel } from "./plots.js";

const place = document.getElementById("overlay");

async function figuresOf(url) {
  const figures = { train: new Map(), eval: new Map() };
  let answer = { last: 0 };
  do {
    const reply = await fetch(`${url}?after=${answer.last}`, { headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    answer = await reply.json();
    for (const event of answer.events) figures[event.kind].set(event.step, event.data);
  } while (answer.more);
  return { figures, total: answer.total || 1 };
}

function linesOf(runs, key) {
  return runs
    .flatMap((run, at) =>
      ["train", "eval"].map((kind) => ({
        key: `${at}${kind}`,
        label: kind === "eval" ? `${run.name}, held out` : run.name,
        color: at + 1,
        held: kind === "eval",
        values: new Map([...run.figures[kind]].map(([step, data]) => [step, data[key]]).filter(([, value]) => typeof value === "number")),
      })),
    )
    .filter((line) => line.values.size);
}

if (place) {
  try {
    const named = JSON.parse(document.getElementById("overlay-runs").textContent);
    const runs = await Promise.all(named.map(async (run) => ({ ...run, ...(await figuresOf(run.url)) })));
    const total = Math.max(...runs.map((run) => run.total));
    const charts = JSON.parse(document.getElementById("overlay-charts").textContent).filter((chart) => linesOf(runs, chart.key).length);
    const items = charts.map((chart) => ({ ...panel(place, chart.title, chart.help), chart }));
    const show = () => items.forEach((item) => draw(place, item, linesOf(runs, item.chart.key), total, true));
    show();
    keepFitting(place, () => items, show);
  } catch (error) {
    console.warn(`The curves could not be fetched; the tables say where they end. ${error}`);
  }
}
