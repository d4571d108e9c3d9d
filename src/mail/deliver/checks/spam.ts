import { acquaintanceOf, type Scan } from "../../../store/mail/scans.ts";
import { askedOf, judge, personMarks } from "../../scan/judge.ts";
import type { Check, Disposition } from "../disposition.ts";

/**
 * Scores the message, keeps the score and its reasons with it, and files spam to Junk. The verdict of a filter outside
 * takes the place of the built-in one; marks of phishing are always ours.
 */
export const spam: Check = async ({ prepared }, { address }, { reader, spam: { junkScore, outside } }) => {
  const { traits } = prepared;
  if (junkScore === undefined || !traits) return [];
  const known = await acquaintanceOf(reader, askedOf(traits, address));
  const scan: Scan = outside
    ? { ...outside.scan, marks: [...traits.marks, ...personMarks(traits, known)] }
    : judge(traits, known);
  const said: Disposition[] = [{ kind: "scan", scan }];
  const isSpam = outside?.isSpam ?? scan.score >= junkScore;
  if (!isSpam) return said;
  const reason = `spam: ${scan.score} points of ${junkScore}`;
  said.push({ kind: "file", into: { role: "junk" }, reason }, { kind: "keywords", keywords: ["$junk"], reason });
  return said;
};
