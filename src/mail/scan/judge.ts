import { normalizeAddress } from "../../base/address.ts";
import { summarise } from "../../mime/summary.ts";
import { words } from "../../search/words.ts";
import type { Acquaintance, Asked, Scan } from "../../store/mail/scans.ts";
import { baseStatistics } from "./base.ts";
import type { Statistics } from "./bayes.ts";
import type { Finding, Mark } from "./evidence.ts";
import { shapeOf } from "./marks.ts";
import { scoreOf, wordsFinding } from "./score.ts";
import { readTraits, type Traits } from "./traits.ts";

/** What to ask of the account that gets the message at this address. */
export function askedOf({ tokens, author }: Traits, recipient: string): Asked {
  const domain = author?.domain ?? "";
  return {
    tokens,
    address: normalizeAddress(author?.email ?? "") ?? "",
    domain,
    shape: domain === "" ? "" : shapeOf(domain),
    nameKey: nameKeyOf(author?.name ?? ""),
    ownDomain: recipient.slice(recipient.lastIndexOf("@") + 1).toLowerCase(),
  };
}

/** A display name as its readers see it; "" for a single word, which many share. */
export function nameKeyOf(name: string): string {
  const all = words(name);
  return all.length > 1 ? all.toSorted().join(" ") : "";
}

/** The built-in verdict on a message for an account that knows this. */
export function judge(traits: Traits, known: Acquaintance): Scan {
  const marks = [...traits.marks, ...personMarks(traits, known)];
  const { score, reasons } = scoreOf([
    ...traits.findings,
    ...personFindings(traits, known),
    wordsFinding(traits.tokens, ownStatistics(known), baseStatistics()),
  ]);
  return { score, reasons, marks, by: "posthorn" };
}

/** Of a longer message, its first octets are judged. */
const maxSentBytes = 200_000;
const untaught: Statistics = { mails: { ham: 0, spam: 0 }, of: () => undefined };

/** The built-in score of a message that a user sends, whoever gets it. */
export function scoreOfSent(message: Buffer): number {
  const head = message.subarray(0, maxSentBytes);
  const { findings, tokens } = readTraits(head, summarise(head));
  return scoreOf([...findings, wordsFinding(tokens, untaught, baseStatistics())]).score;
}

const isStranger = (traits: Traits, known: Acquaintance) => !(known.isCorrespondent && traits.isAuthenticated);

/** Signs that the author pretends to be somebody the account writes to. */
export function personMarks(traits: Traits, known: Acquaintance): Mark[] {
  const marks: Mark[] = [];
  const { author } = traits;
  if (author === null || !isStranger(traits, known) || known.isCorrespondent) return marks;
  if (known.lookAlike !== null) {
    const text = `${author.domain} looks like ${known.lookAlike}, but is another domain`;
    marks.push({ kind: "look-alike", text, shown: known.lookAlike, actual: author.domain });
  }
  if (known.namesake !== null) {
    const text = `it has the name of ${known.namesake}, but comes from ${author.email}`;
    marks.push({ kind: "namesake", text, shown: known.namesake, actual: author.email });
  }
  return marks;
}

function personFindings(traits: Traits, known: Acquaintance): Finding[] {
  if (!isStranger(traits, known))
    return [{ rule: "known-sender", points: -4, reason: "you have written to its author" }];
  return personMarks(traits, known).map(({ kind, text }) => ({
    rule: kind,
    points: kind === "look-alike" ? 2.5 : 0.8,
    reason: text,
  }));
}

function ownStatistics({ tokens, mails }: Acquaintance): Statistics {
  const counts = new Map(tokens.map(({ token, ham, spam }) => [token, { ham, spam }]));
  return { mails, of: (token) => counts.get(token) };
}
