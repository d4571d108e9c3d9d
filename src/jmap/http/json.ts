import { RequestError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const maxDepth = 500;
const quote = 0x22;
const backslash = 0x5c;

/** RFC 7493 (I-JSON): UTF-8, no name twice in one object, no lone surrogates. Throws RequestError("notJSON"). */
export function parseIJson(body: Buffer | string): unknown {
  try {
    const text = typeof body === "string" ? body : utf8.decode(body);
    const value: unknown = JSON.parse(text);
    const fault = scan(text);
    if (fault) throw new RequestError("notJSON", 400, fault);
    // Only an escape can write a lone surrogate in valid UTF-8; a text frame may hold one as it is.
    if (!text.isWellFormed() || (/\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value))) {
      throw new RequestError("notJSON", 400, "A string holds a lone surrogate.");
    }
    return value;
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("notJSON", 400, `The request is no JSON: ${(error as Error).message.slice(0, 100)}`);
  }
}

/** What is wrong in a text that JSON.parse took: JSON.parse itself keeps the last of two equal names. */
function scan(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(new Set());
        isName = true;
        if (open.length > maxDepth) return "The request is nested too deep.";
        break;
      case 0x5b: // [
        open.push(undefined);
        isName = false;
        if (open.length > maxDepth) return "The request is nested too deep.";
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        isName = false;
        break;
      case 0x2c: // ,
        isName = open.at(-1) !== undefined;
        break;
      case quote: {
        const end = endOfString(text, at);
        if (isName) {
          const raw = text.slice(at + 1, end);
          const name = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
          const names = open.at(-1)!;
          if (names.has(name)) return `The name "${name.slice(0, 50)}" stands twice in one object.`;
          names.add(name);
          isName = false;
        }
        at = end;
      }
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWellFormed(inner));
}
