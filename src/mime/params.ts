import { normalized } from "../base/normalize.ts";
import { decodeCharset } from "./charset.ts";
import { unfold } from "./field.ts";
import { commentEnd } from "./tokens.ts";
import { decodeWords } from "./words.ts";

/** RFC 2045 §5.1: a value and its parameters, as in Content-Type and Content-Disposition. */
export interface Parameterised {
  value: string;
  params: Map<string, string>;
  /** True when a name has an asterisk (RFC 2231). Most have none, which saves look-ups. */
  isExtended: boolean;
}

const maxParams = 1000;

/** Skips white space, comments and semicolons. */
function skip(text: string, at: number): number {
  while (at < text.length) {
    const char = text[at]!;
    if (char === "(") {
      const end = commentEnd(text, at);
      at = end === -1 ? text.length : end;
    } else if (char === ";" || char <= " ") at++;
    else return at;
  }
  return at;
}

function quoted(text: string, start: number): { value: string; end: number } {
  let value = "";
  let at = start + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === "\\" && at + 1 < text.length) at++;
    value += text[at++];
  }
  return { value, end: at + 1 };
}

/**
 * An unquoted value. File names are often written bare, with blanks and parentheses, and boundaries with parentheses.
 */
function bare(text: string, start: number, parameter: string): { value: string; end: number } {
  const semicolon = text.indexOf(";", start);
  const end = semicolon === -1 ? text.length : semicolon;
  const value = text.slice(start, end).trim();
  if (/^(file)?name/.test(parameter)) return { value, end };
  const word = (parameter === "boundary" ? /^\S*/ : /^[^\s(]*/).exec(value)![0];
  return { value: word, end: start + word.length };
}

/** RFC 2045 §5.1, tolerant of missing semicolons and quotes. The first of two parameters with one name counts. */
export function parseParameterised(raw: string): Parameterised {
  const text = unfold(raw).slice(0, 100_000);
  const params = new Map<string, string>();
  let isExtended = false;
  let at = skip(text, 0);
  let value = /^[^\s;(]*/.exec(text.slice(at, at + 1000))![0];
  // Some senders omit the value and begin with a parameter.
  if (value.includes("=")) value = "";
  at += value.length;
  // RFC 822 allowed "text / html".
  const spaced = value.includes("/") ? null : /^\s*\/\s*([^\s;(]*)/.exec(text.slice(at, at + 1000));
  if (spaced !== null) {
    value += `/${spaced[1]}`;
    at += spaced[0].length;
  }
  for (at = skip(text, at); at < text.length && params.size < maxParams; at = skip(text, at)) {
    const name = /^[^=;\s"(]*/.exec(text.slice(at, at + 1000))![0].toLowerCase();
    at += name.length;
    while (at < text.length && text[at]! <= " ") at++;
    if (text[at] !== "=") {
      if (name === "") at++;
      continue;
    }
    at++;
    while (at < text.length && text[at]! <= " ") at++;
    const found = text[at] === '"' ? quoted(text, at) : bare(text, at, name);
    at = Math.max(found.end, at);
    if (!params.has(name)) params.set(name, found.value);
    isExtended ||= name.includes("*");
  }
  return { value: value.toLowerCase(), params, isExtended };
}

function percentBytes(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  return Buffer.from(
    bytes.replace(/%([0-9A-Fa-f]{2})/g, (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}

/** Decodes encoded words as file names contain them: with blanks inside, or with nothing between them. */
function decodeLooseWords(text: string): string {
  if (!text.includes("=?")) return text;
  const spaced = text.replace(
    /(=\?[^?\s]+\?([bq])\?)([^?]*\?=)(?=(=\?)?)/gi,
    (_, start: string, encoding: string, rest: string, next: string | undefined) =>
      `${start}${rest.replace(/[ \t]/g, /b/i.test(encoding) ? "" : "_")}${next === undefined ? "" : " "}`,
  );
  return decodeWords(spaced);
}

/** RFC 2231 §3, §4: continued and encoded parameters. Plain ones may contain RFC 2047 words, as many senders write. */
export function parameter({ params, isExtended }: Parameterised, name: string): string | null {
  const text = (isExtended ? extended(params, name) : undefined) ?? decodedWords(params.get(name));
  return text === undefined ? null : normalized(text.replace(/[\x00-\x1f\x7f]/g, ""), "NFC");
}

const decodedWords = (text: string | undefined) => text && decodeLooseWords(text);

function extended(params: Parameterised["params"], name: string): string | undefined {
  let charset = "utf-8";
  let isEncoded = false;
  const pieces: Buffer[] = [];
  const take = (text: string, encoded: boolean, first: boolean): void => {
    const mark = first && encoded ? /^([^']*)'[^']*'/.exec(text) : null;
    if (mark !== null && mark[1] !== "") charset = mark[1]!;
    isEncoded ||= encoded;
    pieces.push(encoded ? percentBytes(text.slice(mark?.[0].length ?? 0)) : Buffer.from(text, "utf8"));
  };
  const whole = params.get(`${name}*`);
  if (whole !== undefined) take(whole, true, true);
  for (let index = 0; whole === undefined; index++) {
    const encoded = params.get(`${name}*${index}*`);
    const piece = encoded ?? params.get(`${name}*${index}`);
    if (piece === undefined) break;
    take(piece, encoded !== undefined, index === 0);
  }
  if (pieces.length === 0) return undefined;
  const text = decodeCharset(Buffer.concat(pieces), charset).text;
  return isEncoded ? text : decodeLooseWords(text);
}
