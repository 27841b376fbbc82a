// The raw text of a response, in which words are chosen by key, mouse or touch and marked passages are drawn.
// Places are offsets in the browser's count (UTF-16); `codePoints` and `codeUnits` go to the server's count and back.

export class MarkedText {
  constructor(element, source, chose) {
    Object.assign(this, { element, source, chose, marks: [], current: null, range: null });
    this.words = segments(source, "word");
    this.sentences = segments(source, "sentence");
    element.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("click", (event) => this.point(event));
    const follow = () => element.isConnected ? this.follow() : document.removeEventListener("selectionchange", follow);
    document.addEventListener("selectionchange", follow);
    this.draw();
  }

  // What is chosen, without the spaces around it: { from, to }, or null.
  chosen() {
    if (!this.range) return null;
    const text = this.source.slice(this.range.from, this.range.to);
    const from = this.range.from + text.length - text.trimStart().length;
    const to = this.range.to - text.length + text.trimEnd().length;
    return from < to ? { from, to } : null;
  }

  choose(anchor, focus = anchor) {
    getSelection().removeAllRanges();
    Object.assign(this, { anchor, focus, range: hull(anchor, focus), isNative: false });
    this.draw();
    this.element.querySelector(".is-chosen")?.scrollIntoView({ block: "nearest" });
    this.chose(this.source.slice(this.range.from, this.range.to));
  }

  enter() {
    this.element.focus({ preventScroll: true });
    if (!this.range && this.words.length) this.choose(this.words[0]);
  }

  press(event) {
    const move = { ArrowRight: "right", ArrowLeft: "left", ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last" }[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey || !this.words.length) return;
    event.preventDefault();
    if (!this.range) return this.enter();
    const next = this[move]();
    this.choose(event.shiftKey ? this.anchor : next, next);
  }

  right() { return after(this.words, this.focus); }
  left() { return before(this.words, this.focus); }
  first() { return this.words[0]; }
  last() { return this.words.at(-1); }

  // The sentence of the word, and when all of it is chosen already the next.
  down() {
    const sentence = this.sentences.findLast(({ from }) => from <= this.focus.from) ?? this.sentences[0];
    const isWhole = this.range.from <= sentence.from && sentence.to <= this.range.to;
    return isWhole ? after(this.sentences, sentence) : sentence;
  }

  up() {
    const sentence = this.sentences.findLast(({ from }) => from <= this.focus.from) ?? this.sentences[0];
    return before(this.sentences, sentence);
  }

  // A selection made with the mouse or a finger stays the browser's own, so that its handles keep working.
  follow() {
    const selection = getSelection();
    if (selection.isCollapsed || !this.element.contains(selection.anchorNode) || !this.element.contains(selection.focusNode)) return;
    const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
    const range = { from: this.offset(startContainer, startOffset), to: this.offset(endContainer, endOffset) };
    Object.assign(this, { range, anchor: range, focus: range, isNative: true });
    for (const piece of this.element.querySelectorAll(".is-chosen")) piece.classList.remove("is-chosen");
  }

  // A press on a word chooses it. With Shift, or a second word by finger, all from the first to it.
  point(event) {
    if (!getSelection().isCollapsed && this.isNative) return;
    const place = offsetAt(event, this);
    const word = this.words.find(({ from, to }) => from <= place && place < to);
    if (!word) return;
    const isInside = this.range && this.range.from <= word.from && word.to <= this.range.to;
    const goesOn = this.range && !isInside && (event.shiftKey || event.pointerType === "touch");
    this.choose(goesOn ? this.anchor : word, word);
  }

  offset(node, offset) {
    const range = document.createRange();
    range.setStart(this.element, 0);
    range.setEnd(node, offset);
    return range.toString().length;
  }

  clear() {
    getSelection().removeAllRanges();
    Object.assign(this, { range: null, isNative: false });
    this.draw();
  }

  draw() {
    const drawn = this.isNative ? null : this.range;
    const edges = new Set([0, this.source.length, ...this.marks.flatMap(({ from, to }) => [from, to])]);
    if (drawn) edges.add(drawn.from).add(drawn.to);
    const places = [...edges].sort((a, b) => a - b);
    const pieces = places.slice(1).map((to, index) => this.piece(places[index], to, drawn));
    this.element.replaceChildren(...pieces);
  }

  piece(from, to, drawn) {
    const covers = (range) => range && range.from <= from && to <= range.to;
    const over = this.marks.filter(covers);
    const text = this.source.slice(from, to);
    if (!over.length && !covers(drawn)) return document.createTextNode(text);
    const element = document.createElement(over.length ? "mark" : "span");
    element.textContent = text;
    if (over.length) element.classList.add(`mark-${over.at(-1).colour}`);
    element.classList.toggle("is-layered", over.length > 1);
    element.classList.toggle("is-current", over.includes(this.current));
    element.classList.toggle("is-chosen", covers(drawn));
    const ends = over.filter((mark) => mark.to === to).map((mark) => this.marks.indexOf(mark) + 1);
    if (ends.length) element.dataset.numbers = ends.join(" ");
    return element;
  }
}

export const codePoints = (source, units) => [...source.slice(0, units)].length;
export const codeUnits = (source, points) => [...source].slice(0, points).join("").length;

function segments(text, granularity) {
  const found = [...new Intl.Segmenter(undefined, { granularity }).segment(text)];
  return found.filter(({ segment }) => /\S/.test(segment)).map(({ segment, index }) => {
    const from = index + segment.length - segment.trimStart().length;
    return { from, to: index + segment.trimEnd().length };
  });
}

const hull = (one, other) => ({ from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) });
const after = (units, { to }) => units.find((unit) => unit.from >= to) ?? units.at(-1);
const before = (units, { from }) => units.findLast((unit) => unit.to <= from) ?? units[0];

function offsetAt({ clientX, clientY }, text) {
  const place = document.caretPositionFromPoint?.(clientX, clientY);
  if (place) return text.offset(place.offsetNode, place.offset);
  const range = document.caretRangeFromPoint?.(clientX, clientY);
  return range ? text.offset(range.startContainer, range.startOffset) : -1;
}
