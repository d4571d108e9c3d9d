/** What is neither white space nor of a word, nor invisible. */
const run = /[^\s\p{L}\p{N}\p{M}\p{C}]+/gu;

/** Each once: the dash of "this - that", the ampersand of "Q&A". */
export function signRuns(text: string): string[] {
  return [...new Set(text.match(run))];
}

/** Any two signs side by side and the last one: what is asked for stands there at consecutive positions. */
export function signPairs(signs: string): string[] {
  const all = [...signs];
  return all.map((sign, index) => sign + (all[index + 1] ?? ""));
}
