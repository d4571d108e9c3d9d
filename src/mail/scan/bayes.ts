/** In how many spam and other mails a token was. */
export interface Counts {
  ham: number;
  spam: number;
}

/** What is known of mails: how many, and in how many of them each token was. */
export interface Statistics {
  mails: Counts;
  of(token: number): Counts | undefined;
}

/** Robinson's s and x: how strong, and what, the belief is about a token that was never seen. */
const strength = 0.45;
const unknown = 0.5;
/** A token closer to 0.5 says nothing. */
const minDistance = 0.2;
const maxTokens = 150;
/** The shared base counts as much as so many mails of each kind that the account has trained. */
const baseMails = 40;

/**
 * How much rather a mail with these tokens is spam than not, as the logarithm of how much less likely they came together by
 * chance among the other mails: 0 when nothing is known, negative for wanted mail. G. Robinson, "A Statistical Approach to
 * the Spam Problem" (Linux Journal 107, 2003), with Fisher's method for combining, as in SpamBayes.
 */
export function countsEvidence(tokens: readonly number[], own: Statistics, base: Statistics): number {
  const { ham: hams, spam: spams } = own.mails;
  const scale = { ham: baseMails / Math.max(base.mails.ham, 1), spam: baseMails / Math.max(base.mails.spam, 1) };
  const hasBase = base.mails.ham > 0;
  const all = { ham: hams + (hasBase ? baseMails : 0), spam: spams + (hasBase ? baseMails : 0) };
  if (all.ham === 0 || all.spam === 0) return 0;
  const said: number[] = [];
  for (const token of tokens) {
    const ours = own.of(token);
    const theirs = base.of(token);
    if (!ours && !theirs) continue;
    const ham = (ours?.ham ?? 0) + (theirs?.ham ?? 0) * scale.ham;
    const spam = (ours?.spam ?? 0) + (theirs?.spam ?? 0) * scale.spam;
    const n = ham + spam;
    if (n === 0) continue;
    const [asHam, asSpam] = [ham / all.ham, spam / all.spam];
    const p = asSpam / (asHam + asSpam);
    const f = (strength * unknown + n * p) / (strength + n);
    if (Math.abs(f - 0.5) >= minDistance) said.push(f);
  }
  said.sort((a, b) => Math.abs(b - 0.5) - Math.abs(a - 0.5));
  return combined(said.slice(0, maxTokens));
}

/** Fisher: how unlikely it is that tokens so hammy came together by chance, against the same for tokens so spammy. */
function combined(all: readonly number[]): number {
  if (all.length === 0) return 0;
  let [spam, ham] = [0, 0];
  for (const f of all) {
    spam += Math.log(1 - f);
    ham += Math.log(f);
  }
  const degrees = 2 * all.length;
  return logChiSquared(-2 * ham, degrees) - logChiSquared(-2 * spam, degrees);
}

/** The logarithm of the probability that chi squared with an even number of degrees of freedom is at least `x`. */
function logChiSquared(x: number, degrees: number): number {
  const half = x / 2;
  let term = 0;
  let largest = 0;
  const terms = [0];
  for (let i = 1; i < degrees / 2; i++) {
    term += Math.log(half / i);
    terms.push(term);
    largest = Math.max(largest, term);
  }
  // Relative to the largest, since the terms themselves may be too small or too large for a number.
  const sum = terms.reduce((total, one) => total + Math.exp(one - largest), 0);
  return Math.min(0, largest - half + Math.log(sum));
}
