import { t } from "../../messages/composer.ts";
import type { Email, EmailAddress } from "../../shared/jmap/types.ts";
import { locale } from "../../shared/messages.ts";
import { formatAddresses } from "./addresses.ts";
import { fragmentOf } from "./clean.ts";
import type { Body } from "./message.ts";
import type { Pictures } from "./pictures.ts";
import { nodesOf, quoted, textOf } from "./plain.ts";

export type Quoted = Pick<
  Email,
  "from" | "to" | "cc" | "subject" | "sentAt" | "receivedAt" | "textBody" | "htmlBody" | "bodyValues"
>;

/** The author's own text of a mail. `html` is undefined for a mail that has none. */
export function textsOf({ textBody, htmlBody, bodyValues }: Quoted): { text: string; html: string | undefined } {
  const values = (parts: Email["textBody"], type: string) =>
    parts.filter((part) => part.type === type && part.partId).map(({ partId }) => bodyValues[partId!]?.value ?? "");
  const html = values(htmlBody, "text/html");
  const text = values(textBody, "text/plain").join("\n").replace(/\r\n?/g, "\n");
  return { text, html: html.length > 0 ? html.join("<br>") : undefined };
}

const names = (list: EmailAddress[] | null): string => (list ?? []).map(({ name, email }) => name || email).join(", ");

function dateOf({ sentAt, receivedAt }: Quoted): string {
  return new Intl.DateTimeFormat(locale.peek(), { dateStyle: "full", timeStyle: "short" }).format(
    new Date(sentAt ?? receivedAt),
  );
}

/** "On Monday Ann wrote:", or the header of a mail that is passed on. */
function introduction(kind: "reply" | "forward", email: Quoted): string[] {
  if (kind === "reply") return [t("wrote", { date: dateOf(email), name: names(email.from) })];
  const line = (name: string, value: string) => (value === "" ? [] : [`${name}: ${value}`]);
  return [
    `---------- ${t("forwardedMessage")} ----------`,
    ...line(t("from"), formatAddresses(email.from)),
    ...line(t("date"), dateOf(email)),
    ...line(t("subject"), email.subject ?? ""),
    ...line(t("to"), formatAddresses(email.to)),
    ...line(t("cc"), formatAddresses(email.cc)),
    "",
  ];
}

interface Options {
  isRich: boolean;
  pictures: Pictures;
  /** Whether its reader let remote pictures be shown. */
  isRemoteShown: boolean;
}

/** The mail below an answer, or the one that is passed on. */
export function quoteOf(kind: "reply" | "forward", email: Quoted, { isRich, pictures, isRemoteShown }: Options): Body {
  const { text, html } = textsOf(email);
  const clean = html === undefined ? undefined : fragmentOf(html, pictures, { isRemoteShown });
  const lines = introduction(kind, email);
  const plain = text.trim() === "" && clean ? textOf(clean) : text.trimEnd();
  const asText = `${lines.join("\n")}\n${kind === "reply" ? quoted(plain) : plain}`;
  if (!isRich) return { text: asText, html: undefined };
  const holder = document.createElement("div");
  holder.append(nodesOf(lines.join("\n")));
  const content = clean ?? nodesOf(plain);
  if (kind === "reply") {
    const quote = document.createElement("blockquote");
    quote.setAttribute("type", "cite");
    quote.setAttribute("style", "margin: 0 0 0 0.8ex; border-left: 2px solid #b0b8c8; padding-left: 1ex");
    quote.append(content);
    holder.append(quote);
  } else holder.append(content);
  return { text: asText, html: holder.innerHTML };
}
