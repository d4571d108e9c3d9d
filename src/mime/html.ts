import { decodeHTML, decodeHTMLAttribute } from "entities/decode";
import { unspacedScripts } from "../base/scripts.ts";

/** The position after the tag (or comment) that starts at `start`; -1 if it never ends. */
export function tagEnd(html: string, start: number): number {
  if (html.startsWith("<!--", start)) {
    const end = html.indexOf("-->", start + 4);
    return end === -1 ? -1 : end + 3;
  }
  let quote = 0;
  for (let at = start + 1; at < html.length; at++) {
    const char = html.charCodeAt(at);
    if (quote !== 0) {
      if (char === quote) quote = 0;
    } else if (char === 0x3e) return at + 1;
    else if ((char === 0x22 || char === 0x27) && /[=\s]/.test(html[at - 1]!)) quote = char;
  }
  return -1;
}

export function isTagStart(html: string, at: number): boolean {
  return /[A-Za-z/!?]/.test(html[at + 1] ?? "");
}

const silent = new Set(["script", "style", "title", "template", "noembed", "noframes"]);
/** Head elements without content, meant for programs. */
const metadata = new Set(["base", "link", "meta"]);
const lines = new Set(
  (
    "address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr " +
    "li main nav ol option p pre section table tbody tfoot thead tr ul"
  ).split(" "),
);
const cells = new Set(["td", "th", "img", "input", "button", "select"]);

/** The position after the closing tag of an element whose content is not text. */
function skipElement(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}(?=[\\s/>])`, "gi");
  closing.lastIndex = from;
  const match = closing.exec(html);
  if (match === null) return html.length;
  const end = html.indexOf(">", match.index);
  return end === -1 ? html.length : end + 1;
}

/** Allows at most one empty line in a row, and no blanks around line breaks. */
function tidy(text: string): string {
  const out: string[] = [];
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed !== "" || (out.length > 0 && out.at(-1) !== "")) out.push(trimmed);
  }
  return out.join("\n").trim();
}

interface Tag {
  name: string;
  closing: boolean;
  end: number;
}

const tagName = /<(\/?)([A-Za-z][A-Za-z0-9:-]{0,40})/y;

/** The tag at `at`. Its end is the length of the text if no text can follow it. */
function readTag(html: string, at: number, isCut: boolean): Tag {
  let end = tagEnd(html, at);
  // If a quote never closes, the next bracket ends the tag, or the rest would be lost. An open comment hides the rest.
  if (end === -1 && !isCut && !html.startsWith("<!--", at)) end = html.indexOf(">", at) + 1 || -1;
  tagName.lastIndex = at;
  const match = tagName.exec(html);
  return {
    name: match === null ? "" : match[2]!.toLowerCase(),
    closing: match !== null && match[1] === "/",
    end: end === -1 ? html.length : end,
  };
}

const attribute = /([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]*)))?/g;
const isShownName = /^(?:alt|title)$/i;
const mayShow = /alt|title/i;

/** Attribute text that a reader sees (RFC 8621 §4.4.1: alt and title), however long the other attributes are. */
function attributeText(tag: string): string {
  if (!mayShow.test(tag)) return "";
  const found: string[] = [];
  for (const [, name, double, single, bare] of tag.matchAll(attribute)) {
    const value = double ?? single ?? bare;
    if (value !== undefined && isShownName.test(name!)) found.push(decodeHTMLAttribute(value));
  }
  return found.join(" ");
}

/** A last word that may continue, in scripts with spaces between words. */
const openWord = new RegExp(`(?:(?![${unspacedScripts}])[\\S\\ufeff]){1,60}$`, "u");

/** The certain part of a text cut at its end: without the last word or an incomplete character reference. */
export function wholeWords(text: string): string {
  return text.slice(0, -maxWordLength) + text.slice(-maxWordLength).replace(openWord, "");
}
const maxWordLength = 120;

/**
 * The text of HTML, without what is not text, and with block elements on lines of their own. Linear in its length.
 * `attributes`: appends attributes that a reader sees, for searching; at the end, so that they split no words or
 * phrases.
 * `isCut`: the HTML continues; leaves out a possibly incomplete word or tag.
 */
export function htmlToText(html: string, { attributes = false, isCut = false } = {}): string {
  const out: string[] = [];
  const asides: string[] = [];
  let pre = 0;
  const text = (piece: string): void => {
    if (piece !== "") out.push(decodeHTML(pre > 0 ? piece : piece.replace(/[ \t\r\n\f]+/g, " ")));
  };
  let from = 0;
  for (let at = html.indexOf("<"); at !== -1; at = html.indexOf("<", at)) {
    if (!isTagStart(html, at)) {
      at++;
      continue;
    }
    text(html.slice(from, at));
    const { name, closing, end } = readTag(html, at, isCut);
    const isShown = name !== "" && !closing && !silent.has(name) && !metadata.has(name);
    if (attributes && isShown) asides.push(attributeText(html.slice(at, end)));
    at = silent.has(name) && !closing ? skipElement(html, name, end) : end;
    if (name === "pre") pre = Math.max(0, pre + (closing ? -1 : 1));
    if (lines.has(name)) out.push(name === "p" ? "\n\n" : "\n");
    else if (cells.has(name)) out.push(" ");
    from = at;
  }
  const rest = html.slice(from);
  text(isCut ? wholeWords(rest) : rest.replace(/<$/, ""));
  return tidy([out.join(""), ...asides].join("\n"));
}
