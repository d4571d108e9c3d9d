import { textOfHead } from "../../mime/decode.ts";
import { htmlToText } from "../../mime/html.ts";
import { leaves, type Part } from "../../mime/structure.ts";

/** A link as a reader sees it. */
export interface Link {
  /** In lower case. */
  host: string;
  url: string;
  /** The text in front of it; "" for a bare URL. */
  text: string;
}

/** The text and the links that a reader sees first: enough to judge by, whatever the size of the message. */
export interface Visible {
  text: string;
  links: Link[];
  hasHtml: boolean;
  hasPlain: boolean;
  hasForm: boolean;
  hasImage: boolean;
}

const maxParts = 6;
const maxRawBytes = 32_000;
const maxLinks = 40;

const noHtml = { hasHtml: false, hasPlain: false, hasForm: false, hasImage: false };

export function readVisible(message: Buffer, root: Part): Visible {
  const texts = leaves(root).filter(({ type, disposition }) => isText(type) && disposition !== "attachment");
  const visible: Visible = { text: "", links: [], ...noHtml };
  const found: string[] = [];
  for (const part of texts.slice(0, maxParts)) {
    const { start, end } = part.body;
    const source = textOfHead(message.subarray(start, Math.min(end, start + maxRawBytes)), part);
    if (part.type === "text/html") {
      visible.hasHtml = true;
      visible.hasForm ||= /<form\b/i.test(source);
      visible.hasImage ||= /<img\b/i.test(source);
      anchors(source, visible.links);
      found.push(htmlToText(source, { isCut: end - start > maxRawBytes }));
    } else {
      visible.hasPlain = true;
      bare(source, visible.links);
      found.push(source);
    }
  }
  visible.text = found.join("\n");
  return visible;
}

const isText = (type: string) => type === "text/plain" || type === "text/html";

/** No run crosses another tag, which keeps it linear. */
const anchor =
  /<a\b[^<>]{0,2000}?\bhref\s{0,9}=\s{0,9}(?:"([^"<]{0,2000})"|'([^'<]{0,2000})'|([^\s"'<>]{1,2000}))[^<>]{0,2000}>/gi;
/** How far from a link its text may reach. */
const maxAnchor = 600;

function anchors(html: string, links: Link[]): void {
  for (const match of html.matchAll(anchor)) {
    if (links.length >= maxLinks) return;
    const url = (match[1] ?? match[2] ?? match[3])!.replaceAll("&amp;", "&").trim();
    const host = hostOf(url);
    if (host === undefined) continue;
    const from = match.index + match[0].length;
    const window = html.slice(from, from + maxAnchor);
    const end = window.search(/<\/a\b/i);
    links.push({ host, url, text: end === -1 ? "" : htmlToText(window.slice(0, end)) });
  }
}

const address = /\bhttps?:\/\/[^\s<>"'()[\]]{3,2000}/gi;

function bare(text: string, links: Link[]): void {
  for (const [url] of text.matchAll(address)) {
    if (links.length >= maxLinks) return;
    const host = hostOf(url);
    if (host !== undefined) links.push({ host, url, text: "" });
  }
}

/** The host of a web address, as an A-label in lower case. */
export function hostOf(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url)) return undefined;
  return URL.parse(url)?.hostname || undefined;
}
