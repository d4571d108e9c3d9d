import { withoutComments } from "../../mime/tokens.ts";
import type { Authentication } from "../../store/core/db.ts";
import { notJudged } from "../../store/mail/authentication.ts";

/** RFC 8601 §2.2: one result, with its properties by ptype and name ("header.d"), in lower case. */
interface Result {
  method: string;
  result: string;
  properties: ReadonlyMap<string, string>;
  /** With its comments. */
  text: string;
}

/** More than a server writes. */
const maxResults = 50;

/** The value of an Authentication-Results field as it is kept with the message. `authservId`: whose it is. */
export function readResults(value: string, authservId: string): Authentication {
  const results = resultsIn(value);
  const of = (method: string) => results.filter((one) => one.method === method);
  const found = { ...notJudged(), authservId };
  const [spf] = of("spf");
  if (spf) found.spf = { result: spf.result, domain: domainOf(spf, "smtp.mailfrom", "smtp.helo") };
  found.dkim = of("dkim").map((one) => {
    const domain = domainOf(one, "header.d", "header.i") ?? "";
    return { result: one.result, domain, selector: one.properties.get("header.s") ?? "" };
  });
  found.dmarc = of("dmarc").map((one) => {
    return { result: one.result, domain: domainOf(one, "header.from") ?? "", policy: policyOf(one), override: null };
  });
  const [arc] = of("arc");
  if (arc) found.arc = { result: arc.result, sealers: [] };
  const [bimi] = of("bimi");
  if (bimi) found.bimi = { result: bimi.result, domain: domainOf(bimi, "header.d") };
  return found;
}

function resultsIn(value: string): Result[] {
  const [, ...parts] = partsOf(value);
  return parts.slice(0, maxResults).flatMap((text): Result[] => {
    const plain = withoutComments(text);
    const [, method, result] = /^\s*([a-z][\w-]*)(?:\s*\/\s*\d+)?\s*=\s*([a-z]{1,20})\b/i.exec(plain) ?? [];
    if (method === undefined || result === undefined) return [];
    const given = plain.matchAll(/\b([a-z]+\s*\.\s*[\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi);
    const properties = [...given].map(([, name, quoted, bare]): [string, string] => {
      return [name!.replace(/\s/g, "").toLowerCase(), (quoted ?? bare ?? "").toLowerCase()];
    });
    return [{ method: method.toLowerCase(), result: result.toLowerCase(), properties: new Map(properties), text }];
  });
}

/** Parts between semicolons that are in no comment and no quoted string. */
function partsOf(value: string): string[] {
  const parts = [""];
  let [depth, isQuoted] = [0, false];
  for (let at = 0; at < value.length; at++) {
    const char = value[at]!;
    if (char === "\\") {
      parts[parts.length - 1] += value.slice(at, at + 2);
      at++;
      continue;
    }
    if (char === '"' && depth === 0) isQuoted = !isQuoted;
    else if (char === "(" && !isQuoted) depth++;
    else if (char === ")" && !isQuoted) depth = Math.max(0, depth - 1);
    if (char === ";" && depth === 0 && !isQuoted) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function domainOf({ properties }: Result, ...names: string[]): string | null {
  const value = names.map((name) => properties.get(name)).find((one) => one !== undefined);
  return value === undefined ? null : value.slice(value.lastIndexOf("@") + 1) || null;
}

/** Servers write the policy as a property, or in a comment. */
function policyOf({ text }: Result): string | null {
  return /\b(?:p|policy|policy\.dmarc)\s*=\s*(none|quarantine|reject)\b/i.exec(text)?.[1]?.toLowerCase() ?? null;
}
