// Words as the server counts them (services/answers/text_distance.py): a Chinese or Japanese character is a word.

const WORD = /[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+/g;

export const countWords = (text) => text.match(WORD)?.length ?? 0;

const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

export function sayLength(text, least) {
  const words = countWords(text);
  const counted = least > words ? `${words} of ${plural(least, "word")}` : plural(words, "word");
  return `${counted}, ${plural([...text].length, "character")}`;
}
