import { cleanMail } from "../conversation/sanitise.ts";
import type { Pictures } from "./pictures.ts";

/** Where the editor keeps the selection while it goes back a step: elements that the sanitiser does not let pass. */
const bookmark = /<input\b[^>]*\bid="squire-selection-(start|end)"[^>]*>/gi;
const marks = { start: "\uE001", end: "\uE002" } as const;

/**
 * Makes HTML harmless before it comes into the page: a quoted mail, what is pasted, and the editor's own steps back. Pictures from other
 * servers go, unless the mail's reader let them be shown.
 */
export function fragmentOf(html: string, pictures: Pictures, { isRemoteShown = false } = {}): DocumentFragment {
  const given = html
    .replace(/[\uE001\uE002]/g, "")
    .replace(bookmark, (_, end: string) => marks[end.toLowerCase() as "start" | "end"])
    .replace(/\bsrc="(blob:[^"]*)"/g, (_, url: string) => `src="cid:${encodeURIComponent(pictures.cidOf(url) ?? "")}"`);
  const { content, inline } = cleanMail(given, window, { isRemoteShown });
  for (const [cid, images] of inline) {
    const url = pictures.urlOf(cid);
    if (url !== undefined) for (const image of images) image.src = url;
  }
  for (const image of content.querySelectorAll("img:not([src])")) image.remove();
  restore(content);
  const fragment = document.createDocumentFragment();
  if (content.hasAttribute("style")) fragment.append(content);
  else fragment.append(...content.childNodes);
  return fragment;
}

function restore(root: Node): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode())
    if (/[\uE001\uE002]/.test(walker.currentNode.nodeValue ?? "")) found.push(walker.currentNode as Text);
  for (const text of found) {
    const pieces = text.data.split(/([\uE001\uE002])/);
    text.replaceWith(...pieces.map((piece) => elementOf(piece) ?? piece));
  }
}

function elementOf(piece: string): HTMLElement | undefined {
  const end = piece === marks.start ? "start" : piece === marks.end ? "end" : undefined;
  if (!end) return undefined;
  const input = document.createElement("input");
  input.type = "hidden";
  input.id = `squire-selection-${end}`;
  return input;
}

/** The HTML of the mail: pictures named by their content id, and nothing that belongs to the page. */
export function htmlOf(root: HTMLElement, pictures: Pictures): string {
  const copy = root.cloneNode(true) as HTMLElement;
  for (const image of copy.querySelectorAll("img")) {
    const source = image.getAttribute("src") ?? "";
    if (!source.startsWith("blob:")) continue;
    const cid = pictures.cidOf(source);
    if (cid === undefined) image.remove();
    else image.setAttribute("src", `cid:${cid}`);
  }
  for (const input of copy.querySelectorAll("input")) input.remove();
  return copy.innerHTML.replaceAll("\u200b", "");
}
