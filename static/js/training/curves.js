// The curves of runs, on a run's page and on a round's: one place each, `data-curves` is where its figures come from.
// Asks for those that are new, every two seconds until the run has ended. `data-most` limits the charts to the first.
// The charts to draw come with the figures; the table of the run's page says the same without JavaScript.

import { draw, keepFitting, panel } from "./plots.js";

const POLL = 2000;
const followed = new WeakSet();

class Curves {
  constructor(place) {
    this.place = place;
    this.figures = { train: new Map(), eval: new Map() }; // kind -> step -> data
    this.plots = [];
    this.last = 0;
    this.total = 1; // steps of the whole run
  }

  valuesOf(line) {
    return new Map([...this.figures[line.kind]].map(([step, data]) => [step, data[line.key]]).filter(([, value]) => typeof value === "number"));
  }

  linesOf(chart) {
    return chart.series
      .map((line, at) => ({ ...line, color: (at % 6) + 1, held: line.kind === "eval", values: this.valuesOf(line) }))
      .filter((line) => line.values.size)
      .map((line) => ({ ...line, key: line.kind + line.key }));
  }

  show(afresh = false) {
    for (const item of this.plots) draw(this.place, item, this.linesOf(item.chart), this.total, afresh);
  }

  async poll() {
    let answer;
    do {
      const reply = await fetch(`${this.place.dataset.curves}?after=${this.last}`, { headers: { Accept: "application/json" } });
      if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
      answer = await reply.json();
      this.last = answer.last;
      this.total = answer.total || 1;
      for (const event of answer.events) this.figures[event.kind].set(event.step, event.data);
    } while (answer.more);
    const most = Number(this.place.dataset.most) || answer.charts.length;
    if (this.plots.length === 0) this.plots = answer.charts.slice(0, most).map((chart) => ({ ...panel(this.place, chart.title, chart.help), chart }));
    this.show();
    return answer.ended;
  }

  async follow() {
    try {
      if (await this.poll()) return;
    } catch (error) {
      console.warn(`The run's figures could not be fetched; trying again. ${error}`);
    }
    setTimeout(() => this.follow(), POLL);
  }
}

async function followAll() {
  for (const place of document.querySelectorAll("[data-curves]")) {
    if (followed.has(place)) continue;
    followed.add(place);
    const curves = new Curves(place);
    await curves.follow();
    keepFitting(place, () => curves.plots, () => curves.show(true));
  }
}

await followAll();
document.addEventListener("htmx:afterSettle", followAll); // a round's page has more runs after a while
