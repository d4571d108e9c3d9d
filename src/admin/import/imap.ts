import type { FetchMessageObject, ImapFlow, ListResponse } from "imapflow";
import { keywordsOf } from "./keywords.ts";
import { isLoopback } from "./loopback.ts";
import { type Earlier, type Source, SourceFault, type SourceItem, type SourceMailbox } from "./source.ts";
import { contentKey, maxMessage } from "./stored-form.ts";

/** How many messages are asked for at once, and how many octets of them. */
const maxListed = 1000;
const maxFetched = 100;
const maxOctets = 8_000_000;

/** RFC 6154, and what Gmail adds. */
const roles: Record<string, string> = {
  "\\Inbox": "inbox",
  "\\Archive": "archive",
  "\\Drafts": "drafts",
  "\\Junk": "junk",
  "\\Sent": "sent",
  "\\Trash": "trash",
};
/** Views of mails that are elsewhere too. */
const views = new Set(["\\Flagged", "\\Important"]);

/** Where the run before stood in a folder. */
interface Stood {
  uidValidity: string;
  uidNext: number;
  exists: number;
  modseq?: string;
}

interface Options {
  url: URL;
  user: string;
  password: string;
}

/**
 * An account of an IMAP server (RFC 9051, RFC 3501). After the first run only folders that changed are looked at; with
 * CONDSTORE (RFC 7162), of these only the flags that changed. `imaps:` is TLS at once, `imap:` STARTTLS.
 */
export async function imapSource({ url, user, password }: Options): Promise<Source> {
  const source: Source = {
    name: `imap:${user}@${url.host}`,
    async *items(earlier) {
      const client = await signIn(url, { user, pass: password });
      try {
        yield* new Run(client, earlier, source).items();
        await client.logout();
      } catch (error) {
        throw faultOf(error, url);
      } finally {
        client.close();
      }
    },
  };
  return source;
}

async function signIn(url: URL, auth: { user: string; pass: string }): Promise<ImapFlow> {
  if (url.protocol !== "imaps:" && url.protocol !== "imap:") {
    throw new SourceFault(`${url.href} is not like imaps://mail.example.org`);
  }
  const { ImapFlow } = await import("imapflow");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const secure = url.protocol === "imaps:";
  const client = new ImapFlow({
    ...{ host, auth, secure, port: Number(url.port) || (secure ? 993 : 143) },
    // Elsewhere the password never goes over an open line.
    ...(!secure && !isLoopback(host) && { doSTARTTLS: true }),
    ...{ logger: false, disableAutoIdle: true, maxLiteralSize: maxMessage + 1_000_000 },
  });
  // Errors surface at the command under way.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.close();
    throw faultOf(error, url);
  }
}

function faultOf(error: unknown, url: URL): unknown {
  const { code, message, responseText, authenticationFailed } = error as {
    code?: string;
    message: string;
    responseText?: string;
    authenticationFailed?: boolean;
  };
  if (authenticationFailed)
    return new SourceFault(`${url.host} refuses the name or password: ${responseText ?? message}`);
  // Errors of our own have no code.
  return code === undefined ? error : new SourceFault(`${url.host}: ${responseText ?? message}`);
}

type Folder = ListResponse & { mailbox: SourceMailbox };

class Run {
  readonly #client: ImapFlow;
  readonly #earlier: Earlier;
  readonly #source: Source;
  readonly #stood: Record<string, Stood>;
  /** Keys of mails that left their folder. They may be in another, so they go when all folders are read. */
  readonly #left: string[] = [];
  /** Folders of which the next run must look at everything, unless this one comes to its end. */
  readonly #unsettled: Record<string, Stood> = {};
  #hasFailed = false;

  constructor(client: ImapFlow, earlier: Earlier, source: Source) {
    this.#client = client;
    this.#earlier = earlier;
    this.#source = source;
    this.#stood = { ...((earlier.state as { folders?: Record<string, Stood> }).folders ?? {}) };
  }

  async *items(): AsyncGenerator<SourceItem> {
    const listed = await this.#client.list({ statusQuery: { messages: true } });
    const folders = listed.filter((folder) => this.#isOwn(folder)).map((folder) => this.#folder(folder));
    // "All Mail" comes last: by then it is known what is elsewhere.
    folders.sort((a, b) => Number(isAll(a)) - Number(isAll(b)));
    this.#source.total = folders.reduce((sum, { status }) => sum + (status?.messages ?? 0), 0);
    yield { kind: "mailboxes", mailboxes: folders.map(({ mailbox }) => mailbox) };
    for (const folder of folders) yield* this.#read(folder);
    const there = new Set(folders.map(({ path }) => path));
    for (const path of Object.keys(this.#stood)) {
      if (there.has(path)) continue;
      await this.#leave(prefixOf(path), () => false);
      delete this.#stood[path];
    }
    for (const keys of pages(this.#left, maxListed)) yield { kind: "gone", keys };
    yield { kind: "state", state: { folders: { ...this.#stood, ...this.#unsettled } } };
  }

  #isOwn({ flags, path, specialUse }: ListResponse): boolean {
    const { shared, other } = this.#client.namespaces ?? {};
    const foreign = [...(shared || []), ...(other || [])].map(({ prefix }) => prefix).filter((prefix) => prefix !== "");
    const isForeign = foreign.some((prefix) => path.startsWith(prefix) || `${path}/` === prefix);
    const isView = views.has(specialUse ?? "") || flags.has("\\Important");
    return !isForeign && !isView && !flags.has("\\Noselect") && !flags.has("\\NonExistent");
  }

  #folder(folder: ListResponse): Folder {
    const { path, delimiter, specialUse } = folder;
    const prefix = this.#client.namespace?.prefix ?? "";
    const own = prefix !== "" && path.startsWith(prefix) ? path.slice(prefix.length) : path;
    const names = delimiter ? own.split(delimiter).filter((name) => name !== "") : [own];
    const isInbox = path.toUpperCase() === "INBOX";
    const role = isInbox ? "inbox" : isAll(folder) ? "archive" : roles[specialUse ?? ""];
    return { ...folder, mailbox: { id: path, role, path: isInbox ? [] : isAll(folder) ? ["Archive"] : names } };
  }

  async *#read(folder: Folder): AsyncGenerator<SourceItem> {
    const { path } = folder;
    const { uidValidity, uidNext, exists, highestModseq } = await this.#client.mailboxOpen(path, { readOnly: true });
    const now: Stood = {
      ...{ uidValidity: String(uidValidity), uidNext, exists },
      ...(highestModseq && { modseq: String(highestModseq) }),
    };
    const stood = this.#stood[path];
    const isSame = stood?.uidValidity === now.uidValidity ? stood : undefined;
    if (isSame?.modseq !== undefined && JSON.stringify(isSame) === JSON.stringify(now)) return;
    const prefix = `${prefixOf(path)}${now.uidValidity}:`;
    const uids = exists === 0 ? [] : await this.#uids(path);
    const fresh = isSame ? uids.filter((uid) => uid >= isSame.uidNext) : uids;
    const old = isSame ? uids.filter((uid) => uid < isSame.uidNext) : [];
    if (old.length > 0) yield* this.#flags(folder, prefix, old, isSame?.modseq);
    for (const page of pages(fresh, maxListed)) yield* this.#mails(folder, prefix, page);
    const there = new Set(uids);
    const hasLeft = await this.#leave(
      prefixOf(path),
      (key) => key.startsWith(prefix) && there.has(Number(key.slice(prefix.length))),
    );
    delete this.#stood[path];
    if (this.#hasFailed) this.#hasFailed = false;
    else if (hasLeft) this.#unsettled[path] = now;
    else this.#stood[path] = now;
    yield { kind: "state", state: { folders: { ...this.#stood } } };
  }

  /** Throws unless the server lists some: what is not listed counts as gone, and is destroyed here. */
  async #uids(path: string): Promise<number[]> {
    // False after a NO or BAD.
    const uids = await this.#client.search({ all: true }, { uid: true });
    if (!uids || uids.length === 0) throw new SourceFault(`the server does not list the messages of ${path}`);
    return uids;
  }

  /** Mails that the run before saw: of most only the flags can have changed. */
  async *#flags(
    folder: Folder,
    prefix: string,
    uids: number[],
    modseq: string | undefined,
  ): AsyncGenerator<SourceItem> {
    if (modseq === undefined) {
      for (const page of pages(uids, maxListed)) yield* this.#mails(folder, prefix, page);
      return;
    }
    const since = { uid: true, changedSince: BigInt(modseq) };
    const range = `${uids[0]}:${uids.at(-1)}`;
    const changed = (await this.#client.fetchAll(range, { uid: true }, since))
      .map(({ uid }) => uid)
      .sort((a, b) => a - b);
    for (const page of pages(changed, maxListed)) yield* this.#mails(folder, prefix, page);
  }

  async *#mails(folder: Folder, prefix: string, uids: readonly number[]): AsyncGenerator<SourceItem> {
    const query = { uid: true, flags: true, internalDate: true, size: true, threadId: true } as const;
    const listed = await this.#client.fetchAll(uids.join(","), query, { uid: true });
    const known = await this.#earlier.known(listed.map(({ uid }) => `${prefix}${uid}`));
    const isKnown = ({ uid }: FetchMessageObject) => known.has(`${prefix}${uid}`);
    for (const message of listed.filter(isKnown)) yield this.#item(folder, prefix, message, { isKnown: true });
    const wanted = listed.filter((message) => !isKnown(message));
    for (const group of bySize(wanted)) {
      const [first] = group;
      const where = `${folder.path}, message ${first!.uid}`;
      if ((first!.size ?? 0) > maxMessage) {
        yield this.#fail(where, `it is over ${maxMessage} bytes`);
        continue;
      }
      const range = group.map(({ uid }) => uid).join(",");
      const sources = new Map<number, Buffer | undefined>();
      for await (const { uid, source } of this.#client.fetch(range, { uid: true, source: true }, { uid: true })) {
        sources.set(uid, source);
      }
      for (const message of group) {
        yield this.#item(folder, prefix, message, { isKnown: false, source: sources.get(message.uid) });
      }
    }
  }

  #fail(where: string, why: string): SourceItem {
    this.#hasFailed = true;
    return { kind: "failed", where, why };
  }

  #item(
    folder: Folder,
    prefix: string,
    message: FetchMessageObject,
    { isKnown, source }: { isKnown: boolean; source?: Buffer | undefined },
  ): SourceItem {
    const { uid, flags = new Set<string>(), internalDate, threadId, size } = message;
    const where = `${folder.path}, message ${uid}`;
    if (!isKnown && (!source || (source.length === 0 && size)))
      return this.#fail(where, "the server gives no bytes of it");
    const isDeleted = flags.has("\\Deleted");
    return {
      ...{ kind: "mail", key: `${prefix}${uid}`, where, raw: source },
      mailboxes: [isDeleted ? { path: ["Trash"], role: "trash" } : folder.mailbox],
      keywords: keywordsOf(flags),
      receivedAt: internalDate === undefined ? undefined : new Date(internalDate),
      thread: threadId,
      isSpare: isAll(folder),
    };
  }

  /** Whether mails left the folder. */
  async #leave(prefix: string, isThere: (key: string) => boolean): Promise<boolean> {
    const before = this.#left.length;
    for await (const key of this.#earlier.keysOf(prefix)) if (!isThere(key)) this.#left.push(key);
    return this.#left.length > before;
  }
}

const isAll = ({ specialUse }: ListResponse) => specialUse === "\\All";

/** The beginning of the keys of a folder. */
const prefixOf = (path: string) => `${contentKey(Buffer.alloc(0), [path]).split(".")[0]}:`;

function pages<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}

/** A message that is too large stands alone. */
function bySize(messages: readonly FetchMessageObject[]): FetchMessageObject[][] {
  const groups: FetchMessageObject[][] = [];
  let octets = maxOctets;
  for (const message of messages) {
    const size = message.size ?? 0;
    if (octets + size > maxOctets || groups.at(-1)!.length >= maxFetched) {
      groups.push([]);
      octets = 0;
    }
    groups.at(-1)!.push(message);
    octets += size;
  }
  return groups;
}
