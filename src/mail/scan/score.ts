import type { Base } from "./base.ts";
import { countsEvidence, type Statistics } from "./bayes.ts";
import type { Finding } from "./evidence.ts";

/** How spammy a message is, and why: the score is the sum of the reasons' points. */
export interface Score {
  score: number;
  reasons: Finding[];
}

/** Mails of each kind that an account must have trained before its words alone may send a mail to Junk. */
const minTrained = 10;
/** What a message of fewer words and properties lacks, such as a date and names, is the most that the base knows of it. */
const minTokens = 24;
const maxBasePointsOfFew = 0.8;
/** The base knows what spam looks like, the account what its own mail looks like. */
const baseWeight = 0.5;

/** From which evidence on, how many points: by statistics that the account has trained, and by the shared base alone. */
const steps: readonly { from: number; trained: number; base: number }[] = [
  { from: 6, trained: 6, base: 2.7 },
  { from: 4.5, trained: 4.4, base: 2.3 },
  { from: 3, trained: 3.6, base: 1.8 },
  { from: 1.7, trained: 3.1, base: 1.5 },
  { from: 0.6, trained: 1.5, base: 0.8 },
  { from: 0.3, trained: 0.7, base: 0.3 },
  { from: -0.3, trained: 0, base: 0 },
  { from: -1, trained: -1, base: -0.3 },
  { from: -2, trained: -2, base: -0.8 },
  { from: -Infinity, trained: -3, base: -1.5 },
];

/** Positive for spam. */
export function wordsEvidence(tokens: readonly number[], own: Statistics, base: Base): number {
  return countsEvidence(tokens, own, base) + baseWeight * base.leaning(tokens);
}

export function wordsFinding(tokens: readonly number[], own: Statistics, base: Base): Finding | undefined {
  const evidence = wordsEvidence(tokens, own, base);
  const isTrained = own.mails.ham >= minTrained && own.mails.spam >= minTrained;
  const step = steps.find(({ from }) => evidence >= from)!;
  const ofBase = tokens.length < minTokens ? Math.min(step.base, maxBasePointsOfFew) : step.base;
  const points = isTrained ? step.trained : ofBase;
  if (points === 0) return undefined;
  const like = points > 0 ? "spam" : "wanted mail";
  return { rule: "words", points, reason: `its words are those of ${like} (${evidence.toFixed(1)})` };
}

export function scoreOf(reasons: readonly (Finding | undefined)[]): Score {
  const found = reasons.filter((one) => one !== undefined);
  const sum = found.reduce((total, { points }) => total + points, 0);
  return { score: Math.round(sum * 10) / 10, reasons: found };
}
