import { domainToUnicode } from "node:url";
import { normalized } from "../../base/normalize.ts";
import { cutOut } from "../../mime/envelope-fields.ts";
import { unfold } from "../../mime/field.ts";
import { asText } from "../../mime/headers.ts";
import { type FieldPlace, scanHeader, valueAt } from "../../mime/scan.ts";
import type { Range } from "../../mime/structure.ts";
import { withoutComments } from "../../mime/tokens.ts";

/** No server writes a longer field. */
const maxLength = 20_000;
/** How many fields of one message get a closer look; all further ones are removed. */
const maxLooks = 50;

/** True for a field that a reader may take for our results. `names` are our names, folded. When in doubt, true. */
function claimsToBeOurs(value: string, names: readonly string[]): boolean {
  // A reader may or may not understand comments, and may or may not decode encoded words.
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

/** The text without differences in case, quoting, white space and invisible characters. */
function folded(text: string): string {
  const plain = normalized(text, "NFKC")
    .toLowerCase()
    .replace(/[\u3002\uff0e\uff61]/g, ".")
    .replace(/[\s"'\\\p{C}\p{M}\p{Default_Ignorable_Code_Point}]+/gu, "");
  return normalized(plain, "NFKC");
}

/**
 * RFC 8601 §5: returns a function that tells, for each field of one message, whether it is an Authentication-Results
 * that a sender wrote in our name.
 */
export function forgedResults(message: Buffer, hostname: string): (field: FieldPlace) => boolean {
  let names: string[] | undefined;
  let looks = 0;
  return (field) => {
    if (!/^authentication-results$/i.test(field.name)) return false;
    const value = valueAt(message, field);
    if (value.length > maxLength) return true;
    // Nearly all fields are written in this plain form, which leaves no doubt.
    const plain = /^[ \t]*([\w.-]+)[ \t]*;/.exec(value)?.[1];
    if (plain !== undefined) return plain.toLowerCase().includes(hostname.toLowerCase());
    if (++looks > maxLooks) return true;
    names ??= [hostname, domainToUnicode(hostname)].map(folded);
    return claimsToBeOurs(value, names);
  };
}

/** RFC 8601 §5: the message without forged results. */
export function withoutForgedResults(message: Buffer, hostname: string): Buffer {
  const forged: Range[] = [];
  const isForged = forgedResults(message, hostname);
  const take = (field: FieldPlace): void => {
    if (isForged(field)) forged.push(field);
  };
  scanHeader(message, take, { isContinued: true });
  return cutOut(message, forged);
}
