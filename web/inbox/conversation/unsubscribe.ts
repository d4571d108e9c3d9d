import type { Session } from "../../shared/jmap/types.ts";
import type { Content } from "../kept-contents.ts";
import { readMailto } from "./mailto.ts";

/**
 * How a reader leaves a list (RFC 2369 §3.2): by one click that the server does (RFC 8058), where a signature stands for it; else by
 * mail, since then no other server sees the reader; else by a page of the list's, opened in a window of its own.
 */
export type Leaving =
  | { way: "click"; host: string }
  | { way: "mail"; to: string; subject: string; body: string }
  | { way: "page"; url: string; host: string };

const capability = "https://posthorn.example/jmap/unsubscribe";

/** The ways that a mail offers, the best first. */
export function waysToLeave(
  content: Pick<Content, "header:List-Unsubscribe:asURLs" | "header:List-Unsubscribe-Post:asText" | "authentication">,
  session: Pick<Session, "capabilities">,
): Leaving[] {
  const urls = content["header:List-Unsubscribe:asURLs"] ?? [];
  const mails = urls.flatMap((url): Leaving[] => {
    const mail = readMailto(url);
    // One recipient: whoever writes the field must not be able to have mail sent to many.
    if (mail?.to.length !== 1) return [];
    return [{ way: "mail", to: mail.to[0]!, subject: mail.subject || "unsubscribe", body: mail.body || "unsubscribe" }];
  });
  const page = urls.flatMap((url) => URL.parse(url.trim()) ?? []).find(({ protocol }) => protocol === "https:");
  // The server looks whether the signature covers the field, and refuses if it does not.
  const isClick =
    session.capabilities[capability] !== undefined &&
    /^\s*List-Unsubscribe\s*=\s*One-Click\s*$/i.test(content["header:List-Unsubscribe-Post:asText"] ?? "") &&
    content.authentication?.dkim.some(({ result }) => result === "pass");
  return [
    ...(page && isClick ? [{ way: "click" as const, host: page.host }] : []),
    ...mails.slice(0, 1),
    ...(page ? [{ way: "page" as const, url: page.href, host: page.host }] : []),
  ];
}
