import { domainToUnicode } from "node:url";
import { normalized } from "../base/normalize.ts";
import { cutOut } from "../mime/envelope-fields.ts";
import { unfold } from "../mime/field.ts";
import { asText } from "../mime/headers.ts";
import { type FieldPlace, scanHeader, valueAt } from "../mime/scan.ts";
import type { Range } from "../mime/structure.ts";
import { withoutComments } from "../mime/tokens.ts";

/** No server writes longer ones. */
const longest = 20_000;

/** RFC 8601 §5: true for a field that somebody may take for results of ours. In doubt it is one. */
function claimsToBeOurs(value: string, hostname: string): boolean {
  if (value.length > longest) return true;
  // As nearly all are written, there is no doubt.
  const plain = /^[ \t]*([\w.-]+)[ \t]*;/.exec(value)?.[1];
  if (plain !== undefined) return plain.toLowerCase().includes(hostname.toLowerCase());
  const names = [hostname, domainToUnicode(hostname)].map(folded);
  // A reader may know comments or not, and decode what looks encoded or not.
  const readings = [value, unfold(value), asText(value)].flatMap((text) => [
    beforeFirst(";", text),
    beforeFirst("=", withoutComments(text)),
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
    .replace(/[\s"'\\\p{C}\p{M}\p{Default_Ignorable_Code_Point}]+/gu, "");
  return normalized(plain, "NFKC");
}

/** RFC 8601 §5: true for an Authentication-Results field that a sender wrote in our name. */
export function isForgedResult(message: Buffer, field: FieldPlace, hostname: string): boolean {
  return /^authentication-results$/i.test(field.name) && claimsToBeOurs(valueAt(message, field), hostname);
}

/** RFC 8601 §5: the message without such fields. */
export function withoutForgedResults(message: Buffer, hostname: string): Buffer {
  const forged: Range[] = [];
  const take = (field: FieldPlace): void => {
    if (isForgedResult(message, field, hostname)) forged.push(field);
  };
  scanHeader(message, take, { isContinued: true });
  return cutOut(message, forged);
}
