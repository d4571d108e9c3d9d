import type { EmailBodyPart, EmailBodyValue } from "../../shared/jmap/types.ts";
import type { Content } from "../kept-contents.ts";
import { type Wrapping, wrappingOf } from "./plain-text.ts";

/** A piece of a mail's body, to be shown in order. */
export type Block =
  | { kind: "html"; key: string; html: string }
  | { kind: "text"; key: string; text: string; wrapping: Wrapping }
  | { kind: "picture"; key: string; part: EmailBodyPart };

export interface Body {
  blocks: Block[];
  /** Whether the mail has the form that is not shown, too. */
  hasOther: boolean;
  /** All else that came with it. */
  files: EmailBodyPart[];
  calendars: EmailBodyPart[];
  isCut: boolean;
  isDamaged: boolean;
}

/** The only pictures that are shown: each of these is a picture to a browser, and nothing else. */
export const isPicture = ({ type }: Pick<EmailBodyPart, "type">) => /^image\/(?:png|jpeg|gif|webp)$/.test(type);
const isCalendar = ({ type }: EmailBodyPart) => type === "text/calendar" || type === "application/ics";

/** RFC 8621 §4.1.4: the formatted body, or the plain one. */
export function bodyOf(content: Content, isPlainWanted: boolean): Body {
  const { textBody, htmlBody, attachments, bodyValues } = content;
  const hasHtml = htmlBody.some(({ type }) => type === "text/html");
  const hasPlain = textBody.some(({ type }) => type === "text/plain");
  const isPlain = hasPlain && (isPlainWanted || !hasHtml);
  const parts = isPlain ? textBody : htmlBody;
  const shown = parts.filter((part) => part.type === "text/plain" || part.type === "text/html");
  const values = shown.flatMap((part) => bodyValue(part, bodyValues) ?? []);
  const blocks = parts.flatMap((part, index) => blockOf(part, bodyValues, `${index}`));
  const html = blocks.map((block) => (block.kind === "html" ? block.html : "")).join("");
  const rest = parts.filter((part) => !shown.includes(part) && !isPicture(part));
  return {
    blocks,
    hasOther: hasHtml && hasPlain,
    files: [...attachments.filter((part) => !isInline(part, html)), ...rest],
    calendars: attachments.filter(isCalendar),
    isCut: values.some(({ isTruncated }) => isTruncated),
    isDamaged: values.some(({ isEncodingProblem }) => isEncodingProblem),
  };
}

/** A picture that the formatted text shows in its place. */
function isInline(part: EmailBodyPart, html: string): boolean {
  if (!part.cid || !isPicture(part)) return false;
  return html.includes(`cid:${part.cid}`) || html.includes(`cid:${encodeURIComponent(part.cid)}`);
}

function blockOf(part: EmailBodyPart, values: Record<string, EmailBodyValue>, key: string): Block[] {
  if (isPicture(part)) return [{ kind: "picture", key, part }];
  const value = bodyValue(part, values)?.value ?? "";
  if (value.trim() === "") return [];
  if (part.type === "text/html") return [{ kind: "html", key, html: value }];
  if (part.type !== "text/plain") return [];
  const contentType = (part as EmailBodyPart & { "header:Content-Type:asRaw"?: string | null })[
    "header:Content-Type:asRaw"
  ];
  return [{ kind: "text", key, text: value, wrapping: wrappingOf(contentType) }];
}

const bodyValue = ({ partId }: EmailBodyPart, values: Record<string, EmailBodyValue>) =>
  partId === null ? undefined : values[partId];
