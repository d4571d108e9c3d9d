/** What clients mark the quoted mail with, before which the answer stands. */
const classes =
  /(?:^|\s)(?:gmail_quote(?:_container)?|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|moz-cite-prefix)(?:\s|$)/;
const ids = /^(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|reply-intro|mail-editor-reference-message-container)$/;
const forwarded = /^[\s\-—_]*(?:forwarded message|begin forwarded message|weitergeleitete nachricht)/i;

export interface Quote {
  element: Element;
  /** It stands before the quoted text, which is all that follows, instead of around it: Outlook's way. */
  isMark: boolean;
}

/** The quote that begins with this element, read before classes and ids are taken off. */
export function quoteAt(element: Element): Quote | undefined {
  if (ids.test(element.getAttribute("id") ?? "")) return { element, isMark: true };
  const isCite = element.localName === "blockquote" && element.getAttribute("type")?.toLowerCase() === "cite";
  return isCite || classes.test(element.getAttribute("class") ?? "") ? { element, isMark: false } : undefined;
}

/**
 * Folds the earlier mail at the end of an answer behind a button of the document's own (no script is needed for it).
 * Left open: a quote with an answer below it, a mail that is nothing but a quote, and a forwarded mail.
 */
export function foldQuotes({ content, quotes }: { content: HTMLElement; quotes: Quote[] }, label: string): void {
  const first = quotes.find((quote) => endsWith(content, quote, quotes))?.element;
  if (!first || !hasBefore(content, first) || forwarded.test(textFrom(first))) return;
  const document = content.ownerDocument;
  const fold = document.createElement("details");
  const button = document.createElement("summary");
  button.textContent = "•••";
  button.title = label;
  button.setAttribute("aria-label", label);
  fold.dataset.fold = "quote";
  first.before(fold);
  fold.append(button);
  // The rest is the earlier mail too: Outlook marks only where it begins.
  while (fold.nextSibling) fold.append(fold.nextSibling);
}

const textFrom = (element: Element) => (element.textContent ?? "").slice(0, 200);

function isVisible(node: Node): boolean {
  if (node.nodeType === 3) return /\S/.test(node.nodeValue ?? "");
  if (node.nodeType !== 1) return false;
  const element = node as Element;
  return element.localName === "img" || /\S/.test(element.textContent ?? "") || element.querySelector("img") !== null;
}

/** Nothing comes after the quote but further quotes. */
function endsWith(content: HTMLElement, { element, isMark }: Quote, quotes: readonly Quote[]): boolean {
  const isPart = (node: Node) => quotes.some((quote) => quote.element === node);
  for (let node: Node = element; node !== content; node = node.parentNode!) {
    if (node === element && isMark) continue;
    for (let next = node.nextSibling; next; next = next.nextSibling) if (isVisible(next) && !isPart(next)) return false;
  }
  return true;
}

function hasBefore(content: HTMLElement, quote: Element): boolean {
  for (let node: Node = quote; node !== content; node = node.parentNode!) {
    for (let before = node.previousSibling; before; before = before.previousSibling) if (isVisible(before)) return true;
  }
  return false;
}
