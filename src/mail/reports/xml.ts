import { BadReport } from "./unpack.ts";

/** An element: its name without a prefix, its text without that of elements in it, and those. */
export interface XmlElement {
  name: string;
  text: string;
  children: XmlElement[];
}

const maxDepth = 20;
const maxElements = 500_000;
const maxText = 10_000;
const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const nameForm = /^(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)/;

/**
 * Reads the XML of reports: elements, text, character references and the five entities. Attributes, comments and processing
 * instructions are passed over; a DOCTYPE is refused, so nothing is ever expanded or fetched. Takes time in proportion to
 * the length. Throws BadReport.
 */
export function readXml(text: string): XmlElement {
  const root: XmlElement = { name: "", text: "", children: [] };
  const open = [root];
  let elements = 0;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    const next = text.indexOf("<", at);
    const innermost = open.at(-1)!;
    addText(innermost, text.slice(at, next < 0 ? text.length : next));
    if (next < 0) break;
    if (text.startsWith("<!--", next)) at = after(text, "-->", next + 4);
    else if (text.startsWith("<?", next)) at = after(text, "?>", next + 2);
    else if (text.startsWith("<![CDATA[", next)) {
      at = after(text, "]]>", next + 9);
      innermost.text = (innermost.text + text.slice(next + 9, at - 3)).slice(0, maxText);
    } else if (text.startsWith("<!", next)) throw new BadReport("XML with a DOCTYPE");
    else {
      at = endOfTag(text, next);
      const tag = text.slice(next + 1, at - 1);
      if (tag.startsWith("/")) {
        if (open.length === 1 || nameOf(tag.slice(1)) !== innermost.name)
          throw new BadReport("XML with a stray end tag");
        open.pop();
        continue;
      }
      if (++elements > maxElements || open.length > maxDepth) throw new BadReport("XML with too many elements");
      const element: XmlElement = { name: nameOf(tag), text: "", children: [] };
      innermost.children.push(element);
      if (!tag.endsWith("/")) open.push(element);
    }
  }
  const [only] = root.children;
  if (open.length !== 1 || !only || root.children.length !== 1 || root.text.trim() !== "") {
    throw new BadReport("not one XML document");
  }
  return only;
}

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  if (at < 0) throw new BadReport("XML that ends early");
  return at + end.length;
}

/** Where the tag that begins at `from` ends; a quoted attribute may hold ">". */
function endOfTag(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at];
    if (char === ">") return at + 1;
    if (char === '"' || char === "'") at = after(text, char, at + 1) - 1;
    else if (char === "<") break;
  }
  throw new BadReport("XML with a tag that does not end");
}

function nameOf(tag: string): string {
  const name = nameForm.exec(tag)?.[1];
  if (name === undefined) throw new BadReport("XML with a tag that has no name");
  return name;
}

function addText(element: XmlElement, raw: string): void {
  if (raw === "" || element.text.length >= maxText) return;
  const text = raw.includes("&") ? raw.replace(/&([^;&\s]{1,10});/g, decoded) : raw;
  element.text = (element.text + text).slice(0, maxText);
}

function decoded(whole: string, name: string): string {
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? [];
  const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined;
  if (code === undefined) return entities[name] ?? whole;
  return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "";
}

/** The first element of that name in it. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((one) => one.name === name);

/** All elements of that name in it. */
export const childrenOf = (element: XmlElement | undefined, name: string): XmlElement[] =>
  element?.children.filter((one) => one.name === name) ?? [];

/** The text of the first element of that name in it, or "". */
export const textIn = (element: XmlElement | undefined, name: string): string =>
  child(element, name)?.text.trim() ?? "";

/** Text as it stands in an element. */
export const xmlText = (text: string): string =>
  text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[<>&"]/g, (char) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" })[char]!);
