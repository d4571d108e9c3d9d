import { RequestError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const maxDepth = 500;
/** Many times what 50 calls of 1,000 objects need; parsing ten million bytes of `[],` would block everyone for a second. */
const maxValues = 200_000;
const quote = 0x22;
const backslash = 0x5c;

/**
 * RFC 7493 (I-JSON): UTF-8, no name twice in one object, no lone surrogates. RFC 8259 §9 allows limits on depth and size.
 * Throws RequestError("notJSON").
 */
export function parseIJson(body: Buffer | string): unknown {
  try {
    const text = typeof body === "string" ? body : utf8.decode(body);
    const fault = scan(text);
    if (fault) throw new RequestError("notJSON", 400, fault);
    const value: unknown = JSON.parse(text);
    // In valid UTF-8 only an escape can give a lone surrogate; a string argument may contain one directly.
    if (!text.isWellFormed() || (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value))) {
      throw new RequestError("notJSON", 400, "A string holds a lone surrogate.");
    }
    return value;
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("notJSON", 400, `The request is not JSON: ${(error as Error).message.slice(0, 100)}`);
  }
}

/**
 * Finds what JSON.parse would accept, or take too long over: duplicate names (it keeps the last), depth, many values.
 * Accepts any text, JSON or not.
 */
function scan(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(new Set());
        isName = true;
        values++;
        if (open.length > maxDepth) return "The request is nested too deeply.";
        break;
      case 0x5b: // [
        open.push(undefined);
        isName = false;
        values++;
        if (open.length > maxDepth) return "The request is nested too deeply.";
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        isName = false;
        break;
      case 0x2c: // ,
        isName = open.at(-1) !== undefined;
        values++;
        break;
      case quote: {
        const end = endOfString(text, at);
        if (end === -1) return undefined; // JSON.parse will refuse it.
        if (isName) {
          const raw = text.slice(at + 1, end);
          const name = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
          const names = open.at(-1)!;
          if (names.has(name)) return `The name "${name.slice(0, 50)}" appears twice in one object.`;
          names.add(name);
          isName = false;
        }
        at = end;
      }
    }
    if (values > maxValues) return `The request holds more than ${maxValues} values.`;
  }
  return undefined;
}

/** The index of the closing quote of the string that starts here, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWellFormed(inner));
}
