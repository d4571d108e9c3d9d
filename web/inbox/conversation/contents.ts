import type { Jmap } from "../../shared/jmap/client.ts";
import type { Email, Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

/** docs/jmap.md, "What scanning found" */
export interface Scan {
  score: number;
  by: string;
  reasons: { rule: string; points: number; reason: string }[];
  marks: { kind: string; text: string }[];
}

/** What a mail holds, fetched when it is opened. Every part has `Content-Type` as it was written. */
export type Content = Pick<Email, "id" | "textBody" | "htmlBody" | "attachments" | "bodyValues"> & {
  scan?: Scan | null;
  "header:Authentication-Results:asText:all": (string | null)[];
  "header:List-Unsubscribe:asURLs": string[] | null;
};

export const scanCapability = "https://posthorn.example/jmap/scan";

/** What the head of each mail shows, folded or open. */
const headProperties = [
  ...["id", "blobId", "threadId", "mailboxIds", "keywords", "from", "to", "cc", "bcc", "replyTo", "subject", "preview"],
  ...["sentAt", "receivedAt", "size", "hasAttachment", "messageId", "inReplyTo", "references"],
];
const contentProperties = [
  ...["id", "textBody", "htmlBody", "attachments", "bodyValues"],
  ...["header:Authentication-Results:asText:all", "header:List-Unsubscribe:asURLs"],
];
const bodyProperties = [
  ...["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid"],
  "header:Content-Type:asRaw",
];

/** A longer text is cut until its reader asks for the rest. */
const maxBodyValueBytes = 400_000;
/** Beyond these, what was read longest ago is fetched again when it is opened. */
const maxKept = 100;

/** The mails of an account that were opened: they never change, so they are fetched once. */
class Contents {
  readonly #kept = new Map<Id, Content>();

  /** What is kept of a mail. */
  get(id: Id): Content | undefined {
    return this.#kept.get(id);
  }

  keep(content: Content): void {
    this.#kept.delete(content.id);
    this.#kept.set(content.id, content);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break;
      this.#kept.delete(id);
    }
  }
}

const ofAccounts = new WeakMap<Account, Contents>();

function contentsOf(account: Account): Contents {
  let contents = ofAccounts.get(account);
  if (!contents) {
    contents = new Contents();
    ofAccounts.set(account, contents);
  }
  return contents;
}

/**
 * Fetches the heads of some mails and the contents of others, all in one request. Rejects as calls do. A mail that is gone
 * has no content.
 */
export async function loadMails(
  account: Account,
  heads: readonly Id[],
  opened: readonly Id[],
): Promise<Map<Id, Content>> {
  const contents = contentsOf(account);
  const missing = heads.filter((id) => account.emails.peek(id)?.blobId === undefined);
  const unread = opened.filter((id) => contents.get(id) === undefined);
  const [found] = await Promise.all([fetchContents(account, unread), fetchHeads(account, missing)]);
  for (const content of found) contents.keep(content);
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
  if (content) contentsOf(account).keep(content);
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
    properties: [...contentProperties, ...(isScanned(account.jmap) ? ["scan"] : [])],
    ...{ fetchTextBodyValues: true, fetchHTMLBodyValues: true, maxBodyValueBytes: maxBytes },
  });
  return list as Content[];
}

const isScanned = ({ session }: Jmap) => session.capabilities[scanCapability] !== undefined;
