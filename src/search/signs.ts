/** Runs of characters that are neither white space nor part of a word, nor invisible. */
const run = /[^\s\p{L}\p{N}\p{M}\p{C}]+/gu;

/** Each run once: the dash of "this - that", the ampersand of "Q&A". */
export function signRuns(text: string): string[] {
  const found = new Set<string>();
  for (const [signs] of text.matchAll(run)) found.add(signs);
  return [...found];
}

/** Every two signs side by side, and the last sign alone, so that any part of a run stands at consecutive positions. */
export function* signPairs(signs: string): Generator<string> {
  let last = "";
  for (const sign of signs) {
    if (last !== "") yield last + sign;
    last = sign;
  }
  yield last;
}
