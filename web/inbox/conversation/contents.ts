import type { Jmap } from "../../shared/jmap/client.ts";
import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import { remember } from "../kept.ts";
import { type Content, keptContents } from "../kept-contents.ts";

/** Properties that only servers with these capabilities know. */
const own = {
  scan: "https://posthorn.example/jmap/scan",
  authentication: "https://posthorn.example/jmap/authentication",
};

/** What the head of each mail shows, folded or open. */
const headProperties = [
  ...["id", "blobId", "threadId", "mailboxIds", "keywords", "from", "to", "cc", "bcc", "replyTo", "subject", "preview"],
  ...["sentAt", "receivedAt", "size", "hasAttachment", "messageId", "inReplyTo", "references"],
];
const contentProperties = [
  ...["id", "textBody", "htmlBody", "attachments", "bodyValues"],
  ...["header:List-Unsubscribe:asURLs", "header:List-Unsubscribe-Post:asText"],
];
const bodyProperties = [
  ...["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid"],
  "header:Content-Type:asRaw",
];

/** A longer text is cut until its reader asks for the rest. */
const maxBodyValueBytes = 400_000;
/**
 * Fetches the heads of some mails and the contents of others, all in one request. Rejects as calls do. A mail that is gone
 * has no content.
 */
export async function loadMails(
  account: Account,
  heads: readonly Id[],
  opened: readonly Id[],
): Promise<Map<Id, Content>> {
  const contents = keptContents(account.id);
  const missing = heads.filter((id) => account.emails.peek(id)?.blobId === undefined);
  const unread = opened.filter((id) => contents.get(id) === undefined);
  const [found] = await Promise.all([fetchContents(account, unread), fetchHeads(account, missing)]);
  for (const content of found) contents.keep(content);
  remember();
  return new Map(
    opened.flatMap((id) => {
      const content = contents.get(id);
      return content ? [[id, content] as const] : [];
    }),
  );
}

/** The content of a mail with its whole text. */
export async function loadWhole(account: Account, id: Id): Promise<Content | undefined> {
  const [content] = await fetchContents(account, [id], 0);
  if (content) keptContents(account.id).keep(content);
  return content;
}

async function fetchHeads(account: Account, ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return;
  const { list } = await account.jmap.call("Email/get", { accountId: account.id, ids, properties: headProperties });
  account.emails.put(list);
}

async function fetchContents(account: Account, ids: readonly Id[], maxBytes = maxBodyValueBytes): Promise<Content[]> {
  if (ids.length === 0) return [];
  const { list } = await account.jmap.call("Email/get", {
    ...{ accountId: account.id, ids, bodyProperties },
    properties: [...contentProperties, ...ownProperties(account.jmap)],
    ...{ fetchTextBodyValues: true, fetchHTMLBodyValues: true, maxBodyValueBytes: maxBytes },
  });
  return list as Content[];
}

const ownProperties = ({ session }: Jmap): string[] =>
  Object.entries(own).flatMap(([property, capability]) => (session.capabilities[capability] ? [property] : []));
