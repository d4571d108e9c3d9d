import { probabilityOf, type Statistics } from "./bayes.ts";
import type { Finding } from "./evidence.ts";

/** How spammy a message is, and why: the score is the sum of the reasons' points. */
export interface Score {
  score: number;
  reasons: Finding[];
}

/** Mails of each kind that an account must have trained before its words alone may send a mail to Junk. */
const minTrained = 10;

/** From which probability on, how many points: by statistics that the account has trained, and by the shared base alone. */
const steps: readonly { from: number; trained: number; base: number }[] = [
  { from: 0.999, trained: 6, base: 3.8 },
  { from: 0.99, trained: 4.7, base: 3.5 },
  { from: 0.95, trained: 4.4, base: 2.8 },
  { from: 0.9, trained: 3.5, base: 2 },
  { from: 0.8, trained: 2.5, base: 1 },
  { from: 0.6, trained: 1, base: 0.3 },
  { from: 0.4, trained: 0, base: 0 },
  { from: 0.2, trained: -1, base: -0.3 },
  { from: 0.05, trained: -2, base: -0.8 },
  { from: 0, trained: -3, base: -1.5 },
];

export function wordsFinding(tokens: readonly number[], own: Statistics, base: Statistics): Finding | undefined {
  const probability = probabilityOf(tokens, own, base);
  const isTrained = own.mails.ham >= minTrained && own.mails.spam >= minTrained;
  const points = steps.find(({ from }) => probability >= from)![isTrained ? "trained" : "base"];
  if (points === 0) return undefined;
  const like = points > 0 ? "spam" : "wanted mail";
  return { rule: "words", points, reason: `its words are those of ${like} (${probability.toFixed(3)})` };
}

export function scoreOf(reasons: readonly (Finding | undefined)[]): Score {
  const found = reasons.filter((one) => one !== undefined);
  const sum = found.reduce((total, { points }) => total + points, 0);
  return { score: Math.round(sum * 10) / 10, reasons: found };
}
