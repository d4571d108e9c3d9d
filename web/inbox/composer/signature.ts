import type { Identity } from "../../shared/jmap/types.ts";
import { fragmentOf, htmlOf } from "./clean.ts";
import type { Body } from "./message.ts";
import type { Pictures } from "./pictures.ts";
import { nodesOf, textOf } from "./plain.ts";

type Signed = Pick<Identity, "textSignature" | "htmlSignature"> | undefined;

/** The signature of an identity; "" for none. The line before it is the one that mail programs know (RFC 3676 §4.3). */
export function signatureText(identity: Signed, pictures: Pictures): string {
  const text = identity?.textSignature.trim() || textOf(richSignature(identity, pictures));
  return text === "" ? "" : `-- \n${text}`;
}

export function signatureHtml(identity: Signed, pictures: Pictures): string {
  const content = richSignature(identity, pictures);
  const holder = document.createElement("div");
  holder.append(content);
  return holder.childNodes.length === 0 ? "" : `<div>-- <br></div><div>${holder.innerHTML}</div>`;
}

function richSignature(identity: Signed, pictures: Pictures): DocumentFragment {
  const html = identity?.htmlSignature.trim() ?? "";
  if (html !== "") return fragmentOf(html, pictures, { isRemoteShown: true });
  const text = identity?.textSignature.trim() ?? "";
  return text === "" ? document.createDocumentFragment() : nodesOf(text);
}

/** An empty line to write in, the signature, and the quote. */
export function bodyOf(identity: Signed, quote: Body | undefined, isRich: boolean, pictures: Pictures, own = ""): Body {
  const sign = signatureText(identity, pictures);
  const text = [own, ...(sign === "" ? [] : ["", sign]), ...(quote ? ["", quote.text] : [])].join("\n");
  if (!isRich) return { text, html: undefined };
  const holder = document.createElement("div");
  holder.append(nodesOf(own));
  const rest = [signatureHtml(identity, pictures), quote?.html ?? ""].filter((part) => part !== "");
  return { text, html: [holder.innerHTML, ...rest].join("<div><br></div>") };
}

/** Puts another identity's signature in the place of the present one. What somebody has changed by hand stays. */
export function exchangeSignature(body: Body, before: Signed, after: Signed, pictures: Pictures): Body {
  const [oldText, newText] = [signatureText(before, pictures), signatureText(after, pictures)];
  if (oldText === newText) return body;
  const text = exchangeText(body.text, oldText, newText);
  if (body.html === undefined) return { text, html: undefined };
  const holder = document.createElement("div");
  holder.append(fragmentOf(body.html, pictures, { isRemoteShown: true }));
  const next = document.createElement("div");
  next.append(fragmentOf(signatureHtml(after, pictures), pictures, { isRemoteShown: true }));
  exchangeNodes(holder, oldText.replace(/^-- \n/, ""), [...next.childNodes]);
  return { text, html: htmlOf(holder, pictures) };
}

function exchangeText(whole: string, before: string, after: string): string {
  if (before === "") {
    // Before a quote, or at the end.
    const at = whole.search(/\n(?=[^\n]*\n>)/);
    return at < 0 ? `${whole}\n\n${after}` : `${whole.slice(0, at)}${after}\n\n${whole.slice(at)}`;
  }
  const at = whole.indexOf(before);
  return at < 0 ? whole : `${whole.slice(0, at)}${after}${whole.slice(at + before.length)}`;
}

/** The editor writes markup in its own way, so a signature is known by its words: after the line that begins it. */
function exchangeNodes(holder: HTMLElement, before: string, after: ChildNode[]): void {
  const blocks = [...holder.children];
  if (before === "") {
    const quote = blocks.find(({ localName }) => localName === "blockquote");
    if (quote) quote.before(...after);
    else holder.append(...after);
    return;
  }
  const line = blocks.find((block) => block.textContent?.trim() === "--");
  const sign = line?.nextElementSibling;
  if (!line || !sign || textOf(sign) !== before) return;
  sign.remove();
  line.replaceWith(...after);
}
