// A ranking: a digit places its response next; with Shift, or after "=", it ties with the one before; 0 ties all that
// are left; the last one left is placed by itself. So a ranking of K whose last tier has t responses takes K − t keys,
// and one more when t > 1: at most K − 1, and K with Ctrl+Enter. "=" instead of Shift costs a key for each tie above
// the last tier. The selects of the form hold the answer; everything here is drawn from them and written to them.

import { announce } from "../state.js";
import { followDrags } from "./ranking-drag.js";

let board = null;

export function show(area, page) {
  const root = area.querySelector(".ranking");
  board = new Board(root, page);
  root.addEventListener("click", (event) => board.press(event.target.closest("[data-tool], .chip")));
  followDrags(root, (letter, target) => board.move(letter, target));
}

export function actionFor(key) {
  if (!board.root.isConnected) return null;
  const [, shift, digit] = key.match(/^(Shift\+)?([1-9])$/) ?? [];
  const letter = board.letters[digit - 1];
  if (letter) return () => board.place(letter, Boolean(shift));
  return { "=": board.ties && (() => board.tie()), 0: board.ties && (() => board.tieRest()), Backspace: () => board.takeBack() }[key];
}

class Board {
  constructor(root, page) {
    const find = (name) => root.querySelector(name);
    this.selects = [...root.querySelectorAll("select")];
    this.letters = this.selects.map((select) => select.dataset.letter);
    Object.assign(this, { root, page, ties: "ties" in root.dataset, tying: false, before: [], tiers: [] });
    for (const place of [...new Set(this.selects.map((select) => Number(select.value)))].filter(Boolean).sort((one, other) => one - other)) {
      this.tiers.push(this.selects.filter((select) => Number(select.value) === place).map((select) => select.dataset.letter));
    }
    find(".ranking-plain").hidden = true;
    find(".ranking-board").hidden = false;
    this.draw();
  }

  get left() {
    const placed = this.tiers.flat();
    return this.letters.filter((letter) => !placed.includes(letter));
  }

  press(button) {
    const { tool, letter } = button?.dataset ?? {};
    if (tool) actionFor(tool)?.();
    else if (letter && this.left.includes(letter)) this.place(letter, false);
    else if (letter) this.move(letter, { left: true });
  }

  place(letter, tied) {
    if (!this.left.includes(letter)) return announce(`${letter} is placed already.`);
    this.change(() => {
      if (this.ties && (tied || this.tying) && this.tiers.length) this.tiers.at(-1).push(letter);
      else this.tiers.push([letter]);
      this.placeLast();
    });
    this.finish();
  }

  // Says that the next one is tied; when none is left, ties the last with what stands before it.
  tie() {
    if (this.left.length) {
      this.tying = !this.tying && this.tiers.length > 0;
      return this.draw();
    }
    if (this.tiers.length < 2) return;
    this.change(() => this.tiers.at(-2).push(...this.tiers.pop()));
    this.finish();
  }

  tieRest() {
    const { left } = this;
    if (left.length) this.change(() => this.tiers.push(left));
    this.finish();
  }

  takeBack() {
    const before = this.before.pop();
    if (before) this.tiers = before;
    else if (this.tiers.length) this.tiers = this.without(this.tiers.at(-1).at(-1));
    this.tying = false;
    this.write();
  }

  // A response put elsewhere by hand: `left` takes it out, `tier` ties it, `at` puts it before that tier.
  move(letter, { left, tier, at }) {
    const wasLeft = this.left.includes(letter);
    this.change(() => {
      const tiers = this.tiers.map((entry) => entry.filter((other) => other !== letter));
      if (tier !== undefined && this.ties) tiers[tier].push(letter);
      else if (!left) tiers.splice(at ?? tier + 1, 0, [letter]);
      this.tiers = tiers.filter((entry) => entry.length);
      if (wasLeft && !left) this.placeLast();
    });
  }

  without(letter) {
    return this.tiers.map((tier) => tier.filter((other) => other !== letter)).filter((tier) => tier.length);
  }

  placeLast() {
    if (this.left.length === 1) this.tiers.push(this.left);
  }

  change(act) {
    this.before.push(this.tiers.map((tier) => [...tier]));
    act();
    this.tying = false;
    this.write();
  }

  finish() {
    if (!this.left.length) this.page.finish();
  }

  write() {
    for (const select of this.selects) {
      select.value = String(this.tiers.findIndex((tier) => tier.includes(select.dataset.letter)) + 1 || "");
    }
    this.selects[0].dispatchEvent(new Event("change", { bubbles: true }));
    this.draw();
  }

  draw() {
    const { root, tiers, left } = this;
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.letter : null;
    const order = [gap(0)];
    tiers.forEach((tier, rank) => order.push(item(tier.map((letter) => this.chip(letter, rank + 1)), rank), gap(rank + 1)));
    root.querySelector(".ranking-order").replaceChildren(...order);
    root.querySelector(".ranking-left").replaceChildren(...left.map((letter) => this.chip(letter, null)));
    root.classList.toggle("is-tying", this.tying);
    root.querySelector('[data-tool="="]')?.setAttribute("aria-pressed", String(this.tying));
    if (focused) root.querySelector(`.chip[data-letter="${focused}"]`)?.focus({ preventScroll: true });
    const line = tiers.map((tier) => tier.join(" = ")).join(" > ");
    root.querySelector("#ranking-line").textContent = [line, left.length && tiers.length && `left: ${left.join(", ")}`].filter(Boolean).join("; ");
    for (const letter of this.letters) this.markPane(letter);
  }

  markPane(letter) {
    const label = document.querySelector(`.pane[data-letter="${letter}"] .judging-label`);
    const rank = this.tiers.findIndex((tier) => tier.includes(letter)) + 1;
    if (label) label.dataset.place = rank ? `#${rank}` : "";
  }

  chip(letter, rank) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "chip" });
    button.dataset.letter = letter;
    const key = Object.assign(document.createElement("kbd"), { ariaHidden: "true", textContent: this.letters.indexOf(letter) + 1 });
    const use = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: rank ? `, placed ${rank}: take out` : ": place next" });
    button.append(key, letter, use);
    return button;
  }
}

function item(chips, rank) {
  const tier = Object.assign(document.createElement("div"), { className: "tier" });
  tier.dataset.tier = rank;
  tier.append(...chips);
  return tier;
}

function gap(at) {
  const space = Object.assign(document.createElement("div"), { className: "gap" });
  space.dataset.at = at;
  return space;
}
