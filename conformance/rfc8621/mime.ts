import { randomUUID } from "node:crypto";
import type { Part } from "./support.ts";

/** A MIME tree for tests: a leaf's letter is its body, so that a part can be told by what it holds. */
export type Node = {
  type: string;
  letter: string;
  disposition?: string;
  name?: string;
  cid?: string;
  children?: readonly Node[];
};

export function leaf(letter: string, type: string, more: Omit<Node, "letter" | "type"> = {}): Node {
  return { letter, type, ...more };
}

export function multi(subtype: string, ...children: readonly Node[]): Node {
  return { letter: "", type: `multipart/${subtype}`, children };
}

let boundaries = 0;

function entity(node: Node): string[] {
  const lines: string[] = [];
  const name = node.name === undefined ? "" : `; name="${node.name}"`;
  if (node.disposition !== undefined) lines.push(`Content-Disposition: ${node.disposition}`);
  if (node.cid !== undefined) lines.push(`Content-ID: <${node.cid}>`);
  if (!node.children) {
    const inner = node.type === "message/rfc822" ? ["From: inner@example.com", "Subject: inner", ""] : [];
    return [`Content-Type: ${node.type}${name}`, ...lines, "", ...inner, node.letter];
  }
  const boundary = `=_edge_${++boundaries}`;
  const children = node.children.flatMap((child) => [`--${boundary}`, ...entity(child)]);
  return [`Content-Type: ${node.type}; boundary="${boundary}"`, ...lines, "", ...children, `--${boundary}--`, ""];
}

/** A whole message with this body; never the same twice, since a server may refuse that. */
export function mimeMessage(node: Node, headers: readonly string[] = []): string {
  const id = `Message-ID: <${randomUUID()}@example.com>`;
  const top = ["From: Ann <ann@example.com>", "To: bob@example.com", "Subject: MIME", id, ...headers];
  return `${[...top, "MIME-Version: 1.0", ...entity(node)].join("\r\n")}\r\n`;
}

/** The leaves in the order of a depth-first walk. */
export function leaves<T extends { children?: readonly T[] }>(node: T): T[] {
  return node.children ? node.children.flatMap(leaves) : [node];
}

export function isMultipart({ type }: Part): boolean {
  return /^multipart\//i.test(type);
}

/** By the type: a leaf may have an empty `subParts`. */
export function partLeaves(part: Part): Part[] {
  return isMultipart(part) ? (part.subParts ?? []).flatMap(partLeaves) : [part];
}

type Lists = { textBody: string; htmlBody: string; attachments: string };
type Found = { text: Node[] | undefined; html: Node[] | undefined; attachments: Node[] };

function isMedia(type: string): boolean {
  return /^(image|audio|video)\//.test(type);
}

function isInline(part: Node, at: number, multipartType: string): boolean {
  return (
    part.disposition !== "attachment" &&
    (part.type === "text/plain" || part.type === "text/html" || isMedia(part.type)) &&
    (at === 0 || (multipartType !== "related" && (isMedia(part.type) || !part.name)))
  );
}

function place(part: Node, multipartType: string, inAlternative: boolean, found: Found): void {
  if (multipartType === "alternative") {
    if (part.type === "text/plain") found.text?.push(part);
    else if (part.type === "text/html") found.html?.push(part);
    else found.attachments.push(part);
    return;
  }
  if (inAlternative) {
    if (part.type === "text/plain") found.html = undefined;
    if (part.type === "text/html") found.text = undefined;
  }
  found.text?.push(part);
  found.html?.push(part);
  if ((!found.text || !found.html) && isMedia(part.type)) found.attachments.push(part);
}

function walk(parts: readonly Node[], multipartType: string, inAlternative: boolean, { ...found }: Found): void {
  const [textLength, htmlLength] = [found.text?.length ?? -1, found.html?.length ?? -1];
  for (const [at, part] of parts.entries()) {
    if (part.children) {
      const type = part.type.split("/")[1] as string;
      walk(part.children, type, inAlternative || type === "alternative", found);
    } else if (isInline(part, at, multipartType)) place(part, multipartType, inAlternative, found);
    else found.attachments.push(part);
  }
  const { text, html } = found;
  if (multipartType !== "alternative" || !text || !html) return;
  if (textLength === text.length && htmlLength !== html.length) text.push(...html.slice(htmlLength));
  if (htmlLength === html.length && textLength !== text.length) html.push(...text.slice(textLength));
}

/** The algorithm of RFC 8621 §4.1.4, as letters. */
export function decompose(root: Node): Lists {
  const found = { text: [] as Node[], html: [] as Node[], attachments: [] as Node[] };
  walk([root], "mixed", false, found);
  const letters = (list: readonly Node[]): string => list.map(({ letter }) => letter).join("");
  return { textBody: letters(found.text), htmlBody: letters(found.html), attachments: letters(found.attachments) };
}
