import { readMailto } from "./mailto.ts";

/**
 * RFC 2369 §3.2: how a reader leaves a list. By mail where that is offered, since then no other server sees the reader;
 * else by a page of the list's, opened in a window of its own. The POST of RFC 8058 would have to come from the server.
 */
export type Leaving =
  | { way: "mail"; to: string; subject: string; body: string }
  | { way: "page"; url: string; host: string };

/** From the field List-Unsubscribe as URLs; undefined if it offers no way that can be gone. */
export function readLeaving(urls: readonly string[] | null | undefined): Leaving | undefined {
  for (const url of urls ?? []) {
    const mail = readMailto(url);
    // One recipient: whoever writes the field must not be able to have mail sent to many.
    if (mail?.to.length !== 1) continue;
    return { way: "mail", to: mail.to[0]!, subject: mail.subject || "unsubscribe", body: mail.body || "unsubscribe" };
  }
  const page = (urls ?? []).flatMap((url) => URL.parse(url.trim()) ?? []).find(({ protocol }) => protocol === "https:");
  return page && { way: "page", url: page.href, host: page.host };
}
