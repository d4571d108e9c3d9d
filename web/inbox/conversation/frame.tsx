import { useEffect, useRef, useState } from "preact/hooks";
import { press } from "../../shared/keys.ts";
import { frameStyle } from "./frame-style.ts";
import { foldQuotes } from "./html-quotes.ts";
import { cleanMail } from "./sanitise.ts";

/** Never with `allow-scripts`; without an origin of ours the page could neither fill nor measure the frame. */
export const sandbox = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const maxHeight = 200_000;
/** A newsletter that is wider than the pane is made smaller, but not smaller than can be read. */
const minZoom = 0.6;

export interface MailFrameProps {
  html: string;
  /** Read out by screen readers. */
  title: string;
  isRemoteShown: boolean;
  quoteLabel: string;
  /** A picture that is a part of the mail, as a URL that is good until the page goes away; undefined if there is none. */
  pictureOf(contentId: string): Promise<string | undefined>;
  onRemotePictures(count: number): void;
  onMailto(url: string): void;
  /** The frame's page is not there (no network): the mail can't be shown so. */
  onFailed(): void;
}

/** A mail's HTML in a page of its own, which runs no script and loads nothing but what `/frame/…` allows. */
export function MailFrame(props: MailFrameProps) {
  // A frame that goes to another page would leave a step in the browser's history: it is made anew instead.
  return <Frame key={`${props.isRemoteShown}`} {...props} />;
}

function Frame(props: MailFrameProps) {
  const element = useRef<HTMLIFrameElement>(null);
  const [isFilled, setFilled] = useState(false);
  const path = props.isRemoteShown ? "/frame/remote" : "/frame/blocked";

  useEffect(() => {
    const watched = new ResizeObserver(() => element.current && resize(element.current));
    watched.observe(element.current!);
    return () => watched.disconnect();
  }, []);

  return (
    <iframe
      ref={element}
      class={isFilled ? "mail-frame" : "mail-frame is-loading"}
      sandbox={sandbox}
      src={path}
      title={props.title}
      onLoad={({ currentTarget }) => {
        if (!isFrom(currentTarget, path)) return props.onFailed();
        fill(currentTarget, props);
        setFilled(true);
      }}
    />
  );
}

function isFrom(frame: HTMLIFrameElement, path: string): boolean {
  // What the browser shows instead of a page that it could not load is not ours to read.
  return frame.contentDocument !== null && frame.contentWindow?.location.pathname === path;
}

function fill(frame: HTMLIFrameElement, props: MailFrameProps): void {
  const document = frame.contentDocument!;
  const view = frame.contentWindow as Window;
  const mail = cleanMail(props.html, view, { isRemoteShown: props.isRemoteShown });
  foldQuotes(mail, props.quoteLabel);
  const style = document.createElement("style");
  style.textContent = frameStyle;
  document.head.replaceChildren(style);
  document.body.replaceChildren(mail.content);
  // What changes the height later: pictures, and a quote that is opened.
  for (const event of ["load", "error", "toggle"]) document.addEventListener(event, () => resize(frame), true);
  document.addEventListener("click", (event) => followMailto(event, props.onMailto));
  // Keys work inside the mail as they do around it.
  document.addEventListener("keydown", press);
  resize(frame);
  props.onRemotePictures(mail.remotePictures);
  for (const [contentId, pictures] of mail.inline) {
    void props.pictureOf(contentId).then((url) => {
      if (url !== undefined) for (const picture of pictures) picture.src = url;
    });
  }
}

/** As high as its content. What is wider than the pane is asked to be narrower, and made smaller if it can't. */
function resize(frame: HTMLIFrameElement): void {
  const body = frame.contentDocument?.body;
  const content = body?.firstElementChild as HTMLElement | null | undefined;
  if (!body || !content) return;
  content.style.zoom = "";
  delete content.dataset.narrow;
  const room = body.clientWidth;
  if (content.scrollWidth > room + 1) content.dataset.narrow = "";
  const wide = content.scrollWidth;
  if (wide > room + 1 && room > 0) content.style.zoom = String(Math.max(minZoom, room / wide));
  const isCut = content.scrollWidth * Number(content.style.zoom || 1) > room + 1;
  const height = Math.ceil(body.getBoundingClientRect().height) + (isCut ? 16 : 0);
  const wanted = `${Math.min(Math.max(height, 24), maxHeight)}px`;
  if (frame.style.height !== wanted) frame.style.height = wanted;
}

function followMailto(event: MouseEvent, onMailto: (url: string) => void): void {
  const link = (event.target as Element | null)?.closest?.("a[href^='mailto:']");
  if (!link) return;
  event.preventDefault();
  onMailto(link.getAttribute("href")!);
}
