// What changed between two texts, word by word: the shortest edit script (Myers 1986, "An O(ND) difference algorithm"),
// for texts far apart sentence by sentence first.

const TOKEN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}_]+|\s+|[^\p{L}\p{M}\p{N}_\s]/gu;
const SENTENCE = /[^\n.!?。！？؟]*[\n.!?。！？؟]+\s*|[^\n.!?。！？؟]+/gu;
const MOST_CHANGES = 2_000; // texts further apart are compared by sentences first
const AT_ONCE = 400; // and the words of changed sentences in stretches of so many changes

// [{ sort: "same" | "gone" | "new", text }], which joined without "new" gives `before` and without "gone" `after`.
export function diffWords(before, after) {
  const a = before.match(TOKEN) ?? [];
  const b = after.match(TOKEN) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const same = (words) => words.map((text) => ({ sort: "same", text }));
  return joined([...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))]);
}

function diffMiddle(a, b) {
  const { steps, x, y } = searched(a, b, MOST_CHANGES);
  return x === a.length && y === b.length ? traced(steps, a, b, x, y) : diffSentences(a.join(""), b.join(""));
}

// Sentences that both have stay where they are; between them, words.
function diffSentences(before, after) {
  const script = [];
  let gone = "", added = "";
  const flush = () => {
    for (const piece of editScript(gone.match(TOKEN) ?? [], added.match(TOKEN) ?? [])) script.push(piece);
    gone = added = "";
  };
  for (const piece of editScript(before.match(SENTENCE) ?? [], after.match(SENTENCE) ?? [])) {
    if (piece.sort === "gone") gone += piece.text;
    else if (piece.sort === "new") added += piece.text;
    else (flush(), script.push(piece));
  }
  flush();
  return script;
}

// The shortest script in stretches of at most AT_ONCE changes: each goes as far as it can, and the next goes on there.
function editScript(a, b) {
  const script = [];
  while (a.length || b.length) {
    const { steps, x, y } = searched(a, b, AT_ONCE);
    for (const piece of traced(steps, a, b, x, y)) script.push(piece);
    [a, b] = [a.slice(x), b.slice(y)];
  }
  return script;
}

function traced(steps, a, b, x, y) {
  const script = [];
  for (let d = steps.length - 1; d >= 0; d--) {
    const from = d === 0 ? 0 : cameFrom(steps[d], d + 1, x - y, d);
    const oldX = d === 0 ? 0 : steps[d][d + 1 + from];
    const oldY = d === 0 ? 0 : oldX - from;
    for (; x > oldX && y > oldY; x--, y--) script.push({ sort: "same", text: a[x - 1] });
    if (d > 0) script.push(x === oldX ? { sort: "new", text: b[oldY] } : { sort: "gone", text: a[oldX] });
    [x, y] = [oldX, oldY];
  }
  return script.reverse();
}

// For each number of changes d, how far every diagonal k = x − y reached with d − 1; and the point (x, y) that is
// reached in the end: the last of both texts, or after `limit` changes the furthest.
function searched(a, b, limit) {
  const most = Math.min(a.length + b.length, limit);
  const centre = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const steps = [];
  let far = { x: 0, y: 0 };
  for (let d = 0; d <= most; d++) {
    steps.push(reach.slice(centre - d - 1, centre + d + 2));
    far = { x: 0, y: 0 };
    for (let k = -d; k <= d; k += 2) {
      const from = cameFrom(reach, centre, k, d);
      let x = d === 0 ? 0 : reach[centre + from] + (from < k ? 1 : 0);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[centre + k] = x;
      const y = x - k;
      if (x > a.length || y > b.length) continue;
      if (x + y > far.x + far.y || d === 0) far = { x, y };
      if (x === a.length && y === b.length) return { steps, x, y };
    }
  }
  return { steps, ...far };
}

function cameFrom(reach, centre, k, d) {
  return k === -d || (k !== d && reach[centre + k - 1] < reach[centre + k + 1]) ? k + 1 : k - 1;
}

// Neighbours of a sort become one piece; in a run of changes what is gone stands before what is new, and a mere space
// between two changes belongs to them.
function joined(script) {
  const pieces = [];
  let gone = "", added = "";
  const flush = () => {
    if (gone) pieces.push({ sort: "gone", text: gone });
    if (added) pieces.push({ sort: "new", text: added });
    gone = added = "";
  };
  script.forEach(({ sort, text }, index) => {
    const between = sort === "same" && gone && added && /^[^\S\n]+$/.test(text) && (script[index + 1]?.sort ?? "same") !== "same";
    if (sort !== "new" && (sort === "gone" || between)) gone += text;
    if (sort !== "gone" && (sort === "new" || between)) added += text;
    if (sort !== "same" || between) return;
    flush();
    if (pieces.at(-1)?.sort === "same") pieces.at(-1).text += text;
    else pieces.push({ sort, text });
  });
  flush();
  return pieces;
}
