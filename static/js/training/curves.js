// The curves of a run's page. Asks for the figures that are new, every two seconds until the run has ended.
// The charts to draw come with the figures; the table below them says the same without JavaScript.

const POLL = 2000;
const place = document.getElementById("curves");
const figures = { train: new Map(), eval: new Map() }; // kind -> step -> data
let plots = [];
let last = 0;
let total = 1; // steps of the whole run

function token(name) {
  const probe = document.createElement("span");
  probe.className = name;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const HEIGHT = 180;
const latest = (plot, series) => plot.data[series].findLast((value) => value !== null);
const short = (value) => (value === null || value === undefined ? "–" : Math.abs(value) > 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : Number(value.toPrecision(4)).toString());

function columns(chart) {
  const used = chart.series.filter((line) => [...figures[line.kind].values()].some((data) => typeof data[line.key] === "number"));
  const steps = [...new Set(used.flatMap((line) => [...figures[line.kind].keys()]))].sort((a, b) => a - b);
  const values = used.map((line) => steps.map((step) => figures[line.kind].get(step)?.[line.key] ?? null));
  return { used, data: [steps, ...values] };
}

function options(chart, used, width) {
  const axis = { stroke: token("muted"), grid: { stroke: token("curve-grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
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
      ...used.map((line) => {
        const stroke = token(`series-${chart.series.indexOf(line) % 6 + 1}`);
        const held = line.kind === "eval";
        return {
          label: line.label,
          stroke,
          width: held ? 2 : 1.5,
          dash: held ? [6, 4] : undefined,
          spanGaps: true,
          points: { show: held || figures.train.size < 2, size: 6, fill: stroke },
          value: (plot, value, series, at) => short(at === null ? latest(plot, series) : value),
        };
      }),
    ],
  };
}

function panel(chart) {
  const box = document.createElement("figure");
  box.className = "panel curve";
  const caption = document.createElement("figcaption");
  const title = document.createElement("strong");
  title.textContent = chart.title;
  const help = document.createElement("span");
  help.className = "muted small";
  help.textContent = chart.help;
  caption.append(title, help);
  const body = document.createElement("div");
  box.append(caption, body);
  place.append(box);
  return { chart, box, body, plot: null, shown: "" };
}

function draw(item, afresh = false) {
  const { used, data } = columns(item.chart);
  item.box.hidden = used.length === 0;
  if (used.length === 0) return;
  const shown = used.map((line) => line.kind + line.key).join();
  if (item.plot && shown === item.shown && !afresh && data[0].length > 2) {
    item.plot.setData(data);
    return;
  }
  item.plot?.destroy();
  item.plot = new window.uPlot(options(item.chart, used, item.body.clientWidth), data, item.body);
  item.shown = shown;
}

function redraw() {
  for (const item of plots) draw(item, true);
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
  if (plots.length === 0) plots = answer.charts.map(panel);
  for (const item of plots) draw(item);
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
  new ResizeObserver(() => {
    for (const { plot, body } of plots) if (plot && body.clientWidth && body.clientWidth !== plot.width) plot.setSize({ width: body.clientWidth, height: HEIGHT });
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
