import { domainToUnicode } from "node:url";
import { normalized } from "../../base/normalize.ts";
import { cutOut } from "../../mime/envelope-fields.ts";
import { unfold } from "../../mime/field.ts";
import { asText } from "../../mime/headers.ts";
import { type FieldPlace, scanHeader, valueAt } from "../../mime/scan.ts";
import type { Range } from "../../mime/structure.ts";
import { withoutComments } from "../../mime/tokens.ts";

/** No server writes longer ones. */
const longest = 20_000;
/** Of those that take a closer look, the most that get one in a message: all further ones go. */
const mostLooks = 50;

/** True for a field that somebody may take for results of ours; `names` are ours, folded. In doubt it is one. */
function claimsToBeOurs(value: string, names: readonly string[]): boolean {
  // A reader may know comments or not, and decode what looks encoded or not.
  const texts = [value, unfold(value), asText(value), asText(beforeFirst(";", value))];
  const readings = [...texts, ...texts.map(withoutComments)].flatMap((text) => [
    beforeFirst(";", text),
    beforeFirst("=", text),
  ]);
  return readings.map(folded).some((reading) => names.some((name) => reading.includes(name)));
}

const beforeFirst = (mark: string, text: string): string => {
  const end = text.indexOf(mark);
  return end === -1 ? text : text.slice(0, end);
};

/** What is left when nobody minds case, quoting, white space, and characters that cannot be seen. */
function folded(text: string): string {
  const plain = normalized(text, "NFKC")
    .toLowerCase()
    .replace(/[\u3002\uff0e\uff61]/g, ".")
    .replace(/[\s"'\\\p{C}\p{M}\p{Default_Ignorable_Code_Point}]+/gu, "");
  return normalized(plain, "NFKC");
}

/**
 * RFC 8601 §5: tells, field by field of one message, which are Authentication-Results that a sender wrote in our name.
 */
export function forgedResults(message: Buffer, hostname: string): (field: FieldPlace) => boolean {
  let names: string[] | undefined;
  let looks = 0;
  return (field) => {
    if (!/^authentication-results$/i.test(field.name)) return false;
    const value = valueAt(message, field);
    if (value.length > longest) return true;
    // As nearly all are written, there is no doubt.
    const plain = /^[ \t]*([\w.-]+)[ \t]*;/.exec(value)?.[1];
    if (plain !== undefined) return plain.toLowerCase().includes(hostname.toLowerCase());
    if (++looks > mostLooks) return true;
    names ??= [hostname, domainToUnicode(hostname)].map(folded);
    return claimsToBeOurs(value, names);
  };
}

/** RFC 8601 §5: the message without such fields. */
export function withoutForgedResults(message: Buffer, hostname: string): Buffer {
  const forged: Range[] = [];
  const isForged = forgedResults(message, hostname);
  const take = (field: FieldPlace): void => {
    if (isForged(field)) forged.push(field);
  };
  scanHeader(message, take, { isContinued: true });
  return cutOut(message, forged);
}
