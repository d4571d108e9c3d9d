/** A plain text as its reader sees it: what was written, what it quotes, and the signature. */
export interface TextBlock {
  kind: "text" | "signature";
  /** How many times it is quoted: 0 for the author's own words. */
  depth: number;
  /** Without the marks of quotation; of at most `maxLines` lines. */
  text: string;
}

export interface PlainText {
  blocks: TextBlock[];
  /** The blocks from here on are the earlier mail at the end of an answer, which is folded; `blocks.length` if none are. */
  foldFrom: number;
}

/** So that a long text is laid out by pieces, and only those in sight. */
const maxLines = 200;

/** RFC 3676: how the text was wrapped. */
export interface Wrapping {
  isFlowed: boolean;
  isSpaceDeleted: boolean;
}

export function wrappingOf(contentType: string | null | undefined): Wrapping {
  const has = (parameter: string, value: string) =>
    new RegExp(`;\\s*${parameter}\\s*=\\s*"?${value}"?\\s*(?:;|$|\\()`, "i").test(contentType ?? "");
  return { isFlowed: has("format", "flowed"), isSpaceDeleted: has("delsp", "yes") };
}

interface Line {
  depth: number;
  text: string;
}

export function readPlainText(text: string, wrapping: Wrapping, isFolding = true): PlainText {
  const lines = linesOf(text.replace(/\s+$/, ""), wrapping);
  const signature = lines.findLastIndex(({ depth, text }) => depth === 0 && text === "-- ");
  const blocks: TextBlock[] = [];
  let size = 0;
  lines.forEach(({ depth, text }, index) => {
    const kind = signature >= 0 && index >= signature && depth === 0 ? "signature" : "text";
    const last = blocks.at(-1);
    if (last && last.kind === kind && last.depth === depth && size < maxLines) {
      last.text += `\n${text}`;
      size++;
    } else {
      blocks.push({ kind, depth, text });
      size = 1;
    }
  });
  return { blocks, foldFrom: isFolding ? foldedFrom(blocks) : blocks.length };
}

function linesOf(text: string, { isFlowed, isSpaceDeleted }: Wrapping): Line[] {
  const lines: Line[] = [];
  let isOpen = false;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const marks = /^(?:> ?)+/.exec(raw)?.[0] ?? "";
    const depth = marks.length - marks.replaceAll(">", "").length;
    let rest = raw.slice(marks.length);
    if (isFlowed && depth === 0 && rest.startsWith(" ")) rest = rest.slice(1);
    const last = lines.at(-1);
    if (isOpen && last?.depth === depth && rest !== "-- ") last.text += rest;
    else lines.push({ depth, text: rest });
    isOpen = isFlowed && rest.endsWith(" ") && rest !== "-- ";
    if (isOpen && isSpaceDeleted) lines.at(-1)!.text = lines.at(-1)!.text.slice(0, -1);
  }
  return lines;
}

/** "On Monday, Ann wrote:" in the languages that have such a line, which end it with a colon. */
const attribution = /(?:^|\n)[^\n]{0,200}(?:\n[^\n]{1,100})?[:：]\s*$/;

/** Where the earlier mail begins: quoted to the end, but for a signature, and below words of the author's own. */
function foldedFrom(blocks: TextBlock[]): number {
  let end = blocks.length;
  while (end > 0 && (blocks[end - 1]!.kind === "signature" || isBlank(blocks[end - 1]!))) end--;
  let from = end;
  while (from > 0 && (blocks[from - 1]!.depth > 0 || (from < end && isBlank(blocks[from - 1]!)))) from--;
  if (from === end) return blocks.length;
  const before = blocks[from - 1];
  if (!before || blocks.slice(0, from).every(isBlank)) return blocks.length;
  const cut = attribution.exec(before.text);
  const own = cut ? before.text.slice(0, cut.index).trimEnd() : before.text;
  if (cut && (own !== "" || from > 1)) {
    const line = before.text.slice(cut.index).replace(/^\n+/, "");
    blocks.splice(from - 1, 1, ...(own === "" ? [] : [{ ...before, text: own }]), { ...before, text: line });
    return own === "" ? from - 1 : from;
  }
  return from;
}

const isBlank = ({ text }: TextBlock) => text.trim() === "";

export type Piece = string | { text: string; href: string };

const link = /\b(?:https?:\/\/|www\.)[^\s<>"“”«»`|\\^{}]{1,2048}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/gi;

/** The text with its web and mail addresses as links. */
export function withLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(link)) {
    const found = withoutPunctuation(match[0]);
    const href = hrefOf(found);
    if (href === undefined) continue;
    if (match.index > end) pieces.push(text.slice(end, match.index));
    pieces.push({ text: found, href });
    end = match.index + found.length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

function hrefOf(found: string): string | undefined {
  if (!/^(?:https?:\/\/|www\.)/i.test(found)) return `mailto:${found}`;
  return URL.parse(/^www\./i.test(found) ? `https://${found}` : found)?.href;
}

/** What ends a sentence or closes a bracket around the address is no part of it. */
function withoutPunctuation(found: string): string {
  let text = found.replace(/[.,;:!?'’*_]+$/, "");
  const unpaired = (open: string, close: string) => text.endsWith(close) && count(text, open) < count(text, close);
  while (unpaired("(", ")") || unpaired("[", "]")) text = text.slice(0, -1).replace(/[.,;:!?'’*_]+$/, "");
  return text;
}

const count = (text: string, char: string) => text.split(char).length - 1;
