import type { Part } from "./structure.ts";

export interface BodyParts {
  textBody: Part[];
  htmlBody: Part[];
  attachments: Part[];
}

const isMedia = (type: string): boolean => /^(image|audio|video)\//.test(type);

/** True for a part of the body, as opposed to an attachment. */
function isInline(part: Part, index: number, multipartType: string): boolean {
  if (part.disposition === "attachment") return false;
  if (part.type !== "text/plain" && part.type !== "text/html" && !isMedia(part.type)) return false;
  // Only the first part of multipart/related is body. A later text with a file name counts as an attachment.
  return index === 0 || (multipartType !== "related" && (isMedia(part.type) || !part.name));
}

interface Lists {
  text: Part[] | null;
  html: Part[] | null;
  attachments: Part[];
}

function pushAlternative(part: Part, lists: Lists): void {
  const list = part.type === "text/plain" ? lists.text : part.type === "text/html" ? lists.html : lists.attachments;
  // The other alternative may already have been chosen; then this part is in neither list.
  (list ?? lists.attachments).push(part);
}

function pushInline(part: Part, inAlternative: boolean, lists: Lists): void {
  if (inAlternative && part.type === "text/plain") lists.html = null;
  if (inAlternative && part.type === "text/html") lists.text = null;
  lists.text?.push(part);
  lists.html?.push(part);
  if (lists.text === null && lists.html === null) lists.attachments.push(part);
  else if ((lists.text === null || lists.html === null) && isMedia(part.type)) lists.attachments.push(part);
}

function decompose(parts: Part[], multipartType: string, inAlternative: boolean, outer: Lists): void {
  const lists = { ...outer };
  const textLength = lists.text?.length ?? -1;
  const htmlLength = lists.html?.length ?? -1;
  for (const [index, part] of parts.entries()) {
    if (part.parts !== null) {
      const subtype = part.type.slice("multipart/".length);
      decompose(part.parts, subtype, inAlternative || subtype === "alternative", lists);
    } else if (!isInline(part, index, multipartType)) lists.attachments.push(part);
    else if (multipartType === "alternative") pushAlternative(part, lists);
    else pushInline(part, inAlternative, lists);
  }
  const { text, html } = lists;
  if (multipartType !== "alternative" || text === null || html === null) return;
  // Only one of the two was found, so it stands in for the other.
  const onlyHtml = textLength === text.length && htmlLength !== html.length;
  const onlyText = htmlLength === html.length && textLength !== text.length;
  if (onlyHtml) for (const part of html.slice(htmlLength)) text.push(part);
  if (onlyText) for (const part of text.slice(textLength)) html.push(part);
}

/** RFC 8621 §4.1.4: the suggested algorithm. */
export function bodyParts(root: Part): BodyParts {
  const found = { textBody: [] as Part[], htmlBody: [] as Part[], attachments: [] as Part[] };
  decompose([root], "mixed", false, { text: found.textBody, html: found.htmlBody, attachments: found.attachments });
  return found;
}

const showable = /^(text\/(plain|html)$|(message|image|audio|video)\/)/;
const signatureType = /^application\/(x-)?(pkcs7|pgp)-signature$/;

/**
 * Parts that are not offered as attachments: images that an HTML part shows (in multipart/related after the first part,
 * with a Content-Id), signatures, and versions of the text that were not chosen, such as AMP and calendars.
 */
function hidden(root: Part): Set<Part> {
  const found = new Set<Part>();
  const visit = (part: Part): void => {
    for (const [index, child] of (part.parts ?? []).entries()) {
      const attached = child.disposition === "attachment";
      const image = part.type === "multipart/related" && index > 0 && child.cid !== null && isMedia(child.type);
      const version = part.type === "multipart/alternative" && child.type.startsWith("text/") && child.name === null;
      const signature = part.type === "multipart/signed" && signatureType.test(child.type);
      if (signature || (!attached && (image || version))) found.add(child);
      visit(child);
    }
  };
  visit(root);
  return found;
}

/** RFC 8621 §4.1.4: true when there is something to download that is neither inline nor embedded in the text. */
export function hasAttachment(root: Part): boolean {
  const not = hidden(root);
  // An inline part that is not body can only be downloaded.
  const isShown = ({ type, disposition }: Part): boolean => disposition === "inline" && showable.test(type);
  return bodyParts(root).attachments.some((part) => !isShown(part) && !not.has(part));
}
