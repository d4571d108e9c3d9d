/** One lexical token of a structured header field (RFC 5322 §3.2). */
export interface Token {
  kind: "atom" | "quoted" | "comment" | "literal" | "special";
  /** As written. */
  raw: string;
  /** The content of quoted strings and comments, quoted pairs decoded; otherwise as written. */
  value: string;
  /** White space or a comment precedes it. */
  space: boolean;
}

const specials = "<>,:;@";
const atomEnd = /[\s"()<>[\]:;@,]/g;
const encodedWord = /=\?[^?\s]{1,80}\?[bq]\?[^?\s]*\?=/iy;
const wordEnd = /[\s"()<>[\],;:]/;

const unquote = (text: string): string => (text.includes("\\") ? text.replace(/\\([\s\S])/g, "$1") : text);

/** The index after the closing quote, or -1. */
function quoteEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === '"') return at + 1;
  }
  return -1;
}

/** The index after the closing parenthesis, or -1; comments nest. */
export function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0) return at + 1;
  }
  return -1;
}

function literalEnd(text: string, start: number): number {
  const end = text.indexOf("]", start);
  return end === -1 ? -1 : end + 1;
}

const enclosed = { '"': ["quoted", quoteEnd], "(": ["comment", commentEnd], "[": ["literal", literalEnd] } as const;

function atomLength(text: string, at: number, ordinary: Set<string>): number {
  // Senders put commas and the like into encoded words of phrases; such a word is still one token.
  encodedWord.lastIndex = at;
  const word = text[at] === "=" ? encodedWord.exec(text) : null;
  if (word !== null) {
    const end = at + word[0].length;
    if (end === text.length || wordEnd.test(text[end]!)) return word[0].length;
  }
  let end = at;
  do {
    atomEnd.lastIndex = end + 1;
    end = atomEnd.exec(text)?.index ?? text.length;
  } while (end < text.length && ordinary.has(text[end]!));
  return end - at;
}

/**
 * RFC 5322 §3.2: reports the tokens of unfolded text one by one, since a field may have very many. An opening character
 * that is never closed is an ordinary one.
 */
export function eachToken(text: string, take: (token: Token) => void): void {
  // If one opener has no end, no later one has: remembering that keeps this linear.
  const hopeless = new Set([")", "]"]);
  let space = false;
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (char === " " || char === "\t" || char === "\r" || char === "\n") {
      space = true;
      at++;
      continue;
    }
    if ((char === '"' || char === "(" || char === "[") && !hopeless.has(char)) {
      const [kind, findEnd] = enclosed[char];
      const end = findEnd(text, at);
      if (end !== -1) {
        const raw = text.slice(at, end);
        take({ kind, raw, value: kind === "literal" ? raw : unquote(raw.slice(1, -1)), space });
        space = kind === "comment";
        at = end;
        continue;
      }
      hopeless.add(char);
    }
    const special = specials.includes(char);
    const length = special ? 1 : atomLength(text, at, hopeless);
    const raw = text.slice(at, at + length);
    take({ kind: special ? "special" : "atom", raw, value: raw, space });
    space = false;
    at += length;
  }
}

/** RFC 5322 §3.2.2: unfolded text without its comments (quoted strings kept as written). */
export function withoutComments(text: string): string {
  if (!text.includes("(")) return text;
  let out = "";
  eachToken(text, (token) => {
    if (token.kind !== "comment") out += (token.space ? " " : "") + token.raw;
  });
  return out;
}
