// Two answers while they are written: asked for what is new four times a second, until nothing more comes.

const SOON = 250;
const LATER = 1_500;
const WAITING = ["silent", "late"]; // nothing comes just now, and something still may

export class Stream {
  constructor(section, { finished, over }) {
    Object.assign(this, { section, finished, over });
    this.panes = [...section.querySelectorAll(".pane")];
    if (!this.isFinal()) this.poll();
  }

  isFinal() {
    return this.panes.every((pane) => "final" in pane.dataset);
  }

  async poll() {
    const news = await this.ask();
    if (!this.section.isConnected) return;
    if (news?.over) return this.over();
    for (const pane of this.panes) if (news) this.show(pane, news.answers[pane.dataset.letter]);
    if (this.isFinal()) return this.finished();
    const stuck = !news || this.panes.every((pane) => "final" in pane.dataset || WAITING.includes(pane.dataset.state));
    setTimeout(() => this.section.isConnected && this.poll(), stuck ? LATER : SOON);
  }

  async ask() {
    const places = this.panes.map(({ dataset }) => `${dataset.letter}=${dataset.attempt}:${"final" in dataset ? "done" : dataset.end}`);
    try {
      const answer = await fetch(`${this.section.dataset.stream}?${places.join("&")}`);
      return answer.ok && !answer.redirected ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  show(pane, news) {
    const text = pane.querySelector(".pane-text");
    if (String(news.attempt) !== pane.dataset.attempt) {
      text.textContent = "";
      delete pane.dataset.final;
    }
    pane.dataset.attempt = news.attempt;
    pane.dataset.state = news.state;
    pane.querySelector(".chat-words").textContent = news.words;
    pane.querySelector(".chat-retry").hidden = !news.retry;
    if (news.text) text.append(news.text);
    if (news.end !== undefined) this.see(pane, news.end);
    if (news.final) pane.dataset.final = "";
    if (news.html !== undefined) this.render(text, news.html);
    text.classList.toggle("is-live", !news.final);
  }

  // The server has sanitised it, as every text on the site.
  async render(text, html) {
    text.innerHTML = html;
    if (text.querySelector(".math")) (await import("../maths.js")).renderMaths(text);
  }

  // What the person has before them goes with their choice; of an answer that ended it is all.
  see(pane, end) {
    pane.dataset.end = end;
    const field = document.getElementById("answer").elements[`seen_${pane.dataset.letter.toLowerCase()}`];
    if (field) field.value = end;
  }
}
