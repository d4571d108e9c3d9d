import createPurifier, { type Config, type DOMPurify, type WindowLike } from "dompurify";
import { cleanStyle } from "./clean-style.ts";
import { type Quote, quoteAt } from "./html-quotes.ts";

/**
 * HTML of a mail, made harmless: what is not listed here goes. The policy of the page that shows it
 * (`/frame/blocked`, `/frame/remote`) holds alone as well; each is there for the day the other fails.
 */
export interface CleanMail {
  /** One block with all that may be shown, in the window's document, in no place yet. */
  content: HTMLElement;
  /** How many pictures from other servers the mail has; they are without `src` unless they were allowed. */
  remotePictures: number;
  /** The pictures that are parts of the mail, by content id, without `src`. */
  inline: Map<string, HTMLImageElement[]>;
  /** The mails that it quotes: the outermost, in order. */
  quotes: Quote[];
}

export interface Cleaning {
  /** Pictures from other servers keep their address. */
  isRemoteShown: boolean;
}

const tags =
  "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn " +
  "dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt " +
  "ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr";
const attributes =
  "abbr align alt axis bgcolor border bordercolor cellpadding cellspacing char charoff clear color colspan compact datetime dir " +
  "face height href hspace lang noshade nowrap open reversed role rowspan rules scope size span src start style summary text " +
  "title type valign value vspace width";

const config: Config = {
  ALLOWED_TAGS: [...tags.split(" "), "#text"],
  ALLOWED_ATTR: attributes.split(" "),
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ADD_URI_SAFE_ATTR: ["abbr", "face", "datetime"],
  // It is tried on every attribute, so it must let pass what is no URL; relative URLs with it, which the hook takes off.
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|cid):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  WHOLE_DOCUMENT: true,
  RETURN_DOM: true,
};

const rel = "noopener noreferrer nofollow";
const picture = /^data:image\/(?:png|jpe?g|gif|webp)[;,]/i;

interface Work extends Cleaning {
  ownHost: string;
  remotePictures: number;
  inline: Map<string, HTMLImageElement[]>;
  quotes: Quote[];
}

/** The mail whose elements the hooks see: cleaning never waits, so there is one at a time. */
let work: Work | undefined;
const purifiers = new WeakMap<object, DOMPurify>();

/**
 * Cleans a mail with the parser of the window that will show it, whose policy decides which styles can be read. For a
 * frame, that is the frame's own window; for an editor, the page's.
 */
export function cleanMail(html: string, view: Window, cleaning: Cleaning): CleanMail {
  const current: Work = {
    ...cleaning,
    ...{ ownHost: view.location.host, remotePictures: 0, inline: new Map(), quotes: [] },
  };
  const content = view.document.createElement("div");
  work = current;
  try {
    const root = purifierOf(view).sanitize(html, config) as unknown as Element;
    const body = root.querySelector("body");
    if (body) {
      takeLook(content, body);
      while (body.firstChild) content.append(body.firstChild);
    }
  } finally {
    work = undefined;
  }
  const quotes = current.quotes.filter(
    ({ element }, index, all) =>
      content.contains(element) && !all.slice(0, index).some((outer) => outer.element.contains(element)),
  );
  return { content, quotes, remotePictures: current.remotePictures, inline: current.inline };
}

function purifierOf(view: Window): DOMPurify {
  let purifier = purifiers.get(view);
  if (!purifier) {
    // Under Trusted Types a second instance for the page itself could make no policy.
    purifier = view === window ? createPurifier : createPurifier(view as unknown as WindowLike);
    purifier.addHook("beforeSanitizeElements", (node) => {
      const quote = node.nodeType === 1 ? quoteAt(node as Element) : undefined;
      // A mail has a few; thousands are a trick to make comparing them slow.
      if (quote && work && work.quotes.length < 100) work.quotes.push(quote);
    });
    purifier.addHook("afterSanitizeAttributes", (element) => {
      if (work) finish(element as HTMLElement, work);
    });
    purifiers.set(view, purifier);
  }
  return purifier;
}

/** The mail's own `body` becomes the block: its colours and direction are part of its look. */
function takeLook(content: HTMLElement, body: HTMLElement): void {
  const style = body.getAttribute("style");
  if (style) content.setAttribute("style", style);
  const colour = (name: string) => {
    const value = body.getAttribute(name)?.trim() ?? "";
    return /^[\da-f]{3}(?:[\da-f]{3})?$/i.test(value) ? `#${value}` : value;
  };
  if (!content.style.backgroundColor) content.style.backgroundColor = colour("bgcolor");
  if (!content.style.color) content.style.color = colour("text");
  content.dir = body.getAttribute("dir") ?? "auto";
}

function finish(element: HTMLElement, found: Work): void {
  if (element.hasAttribute("style")) {
    const style = cleanStyle(element.style);
    if (style === "") element.removeAttribute("style");
    else element.setAttribute("style", style);
  }
  if (element.hasAttribute("role") && !/^(?:presentation|none)$/i.test(element.getAttribute("role")!)) {
    element.removeAttribute("role");
  }
  if (element.localName === "a") finishLink(element);
  else element.removeAttribute("href");
  if (element.localName !== "img") {
    element.removeAttribute("src");
    return;
  }
  const source = element.getAttribute("src")?.trim() ?? "";
  if (picture.test(source)) return;
  element.removeAttribute("src");
  const cid = /^cid:(.+)$/is.exec(source)?.[1];
  if (cid !== undefined) {
    const id = decoded(cid.trim());
    found.inline.set(id, [...(found.inline.get(id) ?? []), element as HTMLImageElement]);
    return;
  }
  const url = absolute(source);
  if (!url || !/^https?:$/.test(url.protocol) || url.host === found.ownHost) return;
  found.remotePictures++;
  if (!found.isRemoteShown) return;
  element.setAttribute("referrerpolicy", "no-referrer");
  element.setAttribute("src", url.href);
}

function finishLink(link: Element): void {
  const url = absolute(link.getAttribute("href") ?? "");
  link.removeAttribute("href");
  if (!url || !/^(?:https?|mailto|tel):$/.test(url.protocol)) return;
  link.setAttribute("href", url.href);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", rel);
  // So that it can be seen where a link leads before it is followed.
  if (url.protocol !== "mailto:" && !link.hasAttribute("title")) link.setAttribute("title", url.href);
}

/**
 * The URL, if it names a place by itself. A mail has no address of its own, so a relative one would mean this server;
 * `http:x` is relative too on a page with that scheme, and absolute only once it is written out.
 */
function absolute(text: string): URL | undefined {
  const trimmed = text.trim();
  try {
    return new URL(/^[/\\]{2}/.test(trimmed) ? `https:${trimmed}` : trimmed);
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
