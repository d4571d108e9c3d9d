/** What is neither white space nor of a word, nor invisible. */
const run = /[^\s\p{L}\p{N}\p{M}\p{C}]+/gu;

/** Each once: the dash of "this - that", the ampersand of "Q&A". */
export function signRuns(text: string): string[] {
  const found = new Set<string>();
  for (const [signs] of text.matchAll(run)) found.add(signs);
  return [...found];
}

/** Any two signs side by side and the last one: what is asked for stands there at consecutive positions. */
export function* signPairs(signs: string): Generator<string> {
  let last = "";
  for (const sign of signs) {
    if (last !== "") yield last + sign;
    last = sign;
  }
  yield last;
}
