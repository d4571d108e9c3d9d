import { Slots } from "../../base/slots.ts";
import { type Credentials, JmapClient, MethodFailed } from "./jmap-client.ts";
import type { Earlier, Source, SourceItem, SourceMail, SourceMailbox } from "./source.ts";

interface Mailbox {
  id: string;
  name: string;
  parentId: string | null;
  role: string | null;
}

interface Email {
  id: string;
  blobId: string;
  threadId: string;
  mailboxIds: Record<string, boolean>;
  keywords: Record<string, boolean>;
  receivedAt: string;
  size: number;
}

const properties = ["id", "blobId", "threadId", "mailboxIds", "keywords", "receivedAt", "size"];
/** So many octets are downloaded at once. */
const maxOctets = 8_000_000;
const maxGone = 500;
const maxFailed = 10_000;

/** An account of another JMAP server. After the first run only what changed there is asked for. */
export async function jmapSource(place: string, credentials: Credentials): Promise<Source> {
  const client = await JmapClient.connect(place, credentials);
  const source: Source = {
    name: `jmap:${client.accountName}@${client.host}/${client.accountId}`,
    items: (earlier) => new Run(client, earlier, source).items(),
  };
  return source;
}

class Run {
  readonly #client: JmapClient;
  readonly #earlier: Earlier;
  readonly #source: Source;
  #mailboxes = new Map<string, SourceMailbox>();
  /** Emails whose bytes could not be had: the next run asks again. */
  readonly #failed = new Set<string>();

  constructor(client: JmapClient, earlier: Earlier, source: Source) {
    this.#client = client;
    this.#earlier = earlier;
    this.#source = source;
  }

  async *items(): AsyncGenerator<SourceItem> {
    yield await this.#readMailboxes();
    let { state } = this.#earlier.state as { state?: string };
    const { failed = [] } = this.#earlier.state as { failed?: string[] };
    for (const page of pages(failed, this.#client.maxObjectsInGet)) yield* this.#mails(page);
    if (state === undefined) {
      state = (await this.#client.call<{ state: string }>("Email/get", { ids: [] })).state;
      yield* this.#all();
    }
    for (;;) {
      const changes = await this.#changes(state);
      if (!changes) {
        // The server knows no more what changed since: all is compared.
        state = (await this.#client.call<{ state: string }>("Email/get", { ids: [] })).state;
        yield* this.#all();
      } else {
        const { created, updated, destroyed, newState, hasMoreChanges } = changes;
        const ids = [...new Set([...created, ...updated])];
        // A mailbox may be newer than the list.
        if (ids.length > 0) yield await this.#readMailboxes();
        for (const page of pages(ids, this.#client.maxObjectsInGet)) yield* this.#mails(page);
        for (const keys of pages(destroyed, maxGone)) yield { kind: "gone", keys };
        state = newState;
        yield { kind: "state", state: { state, failed: [...this.#failed].slice(0, maxFailed) } };
        if (!hasMoreChanges) return;
      }
    }
  }

  async #readMailboxes(): Promise<SourceItem> {
    const { list } = await this.#client.call<{ list: Mailbox[] }>("Mailbox/get", { ids: null });
    const byId = new Map(list.map((mailbox) => [mailbox.id, mailbox]));
    const pathOf = ({ name, parentId }: Mailbox, depth = 0): string[] => {
      const parent = parentId === null || depth > 100 ? undefined : byId.get(parentId);
      return [...(parent ? pathOf(parent, depth + 1) : []), name];
    };
    this.#mailboxes = new Map(
      list.map((mailbox) => [mailbox.id, { id: mailbox.id, path: pathOf(mailbox), role: mailbox.role ?? undefined }]),
    );
    return { kind: "mailboxes", mailboxes: [...this.#mailboxes.values()] };
  }

  async #changes(sinceState: string) {
    type Changes = Record<"created" | "updated" | "destroyed", string[]> & {
      newState: string;
      hasMoreChanges: boolean;
    };
    try {
      return await this.#client.call<Changes>("Email/changes", { sinceState, maxChanges: 500 });
    } catch (error) {
      if (error instanceof MethodFailed && error.type === "cannotCalculateChanges") return undefined;
      throw error;
    }
  }

  /** All emails, the oldest first; then those that were brought and are there no more. */
  async *#all(): AsyncGenerator<SourceItem> {
    const there = new Set<string>();
    const sort = [{ property: "receivedAt", isAscending: true }];
    const limit = this.#client.maxObjectsInGet;
    for (let position = 0; ; ) {
      const page = await this.#client.call<{ ids: string[]; total?: number }>("Email/query", {
        ...{ sort, position, limit },
        calculateTotal: position === 0,
      });
      if (page.total !== undefined) this.#source.total = page.total;
      if (page.ids.length === 0) break;
      position += page.ids.length;
      for (const id of page.ids) there.add(id);
      yield* this.#mails(page.ids);
    }
    let gone: string[] = [];
    for await (const key of this.#earlier.keysOf("")) {
      if (!there.has(key)) gone.push(key);
      if (gone.length < limit) continue;
      yield* this.#confirmed(gone);
      gone = [];
    }
    if (gone.length > 0) yield* this.#confirmed(gone);
  }

  /** A page may have missed what moved while the pages were read. */
  async *#confirmed(keys: string[]): AsyncGenerator<SourceItem> {
    const { notFound } = await this.#client.call<{ notFound: string[] }>("Email/get", {
      ids: keys,
      properties: ["id"],
    });
    if (notFound.length > 0) yield { kind: "gone", keys: notFound };
  }

  async *#mails(ids: readonly string[]): AsyncGenerator<SourceItem> {
    const { list } = await this.#client.call<{ list: Email[] }>("Email/get", { ids, properties });
    const order = new Map(ids.map((id, index) => [id, index]));
    list.sort((a, b) => order.get(a.id)! - order.get(b.id)!);
    const known = await this.#earlier.known(ids);
    const slots = new Slots(this.#client.maxDownloads);
    for (const group of bySize(list, known)) {
      const raws = await Promise.all(
        group.map(async ({ id, blobId }) =>
          known.has(id) ? undefined : slots.run(() => this.#client.download(blobId)),
        ),
      );
      for (const [index, email] of group.entries()) yield this.#item(email, raws[index], known.has(email.id));
    }
  }

  #item(email: Email, raw: Buffer | undefined, isKnown: boolean): SourceItem {
    const where = `${this.#client.host}, email ${email.id}`;
    const fail = (why: string): SourceItem => {
      this.#failed.add(email.id);
      return { kind: "failed", where, why };
    };
    if (!raw && !isKnown) return fail("the server does not give its bytes");
    const mailboxes = Object.keys(email.mailboxIds).flatMap((id) => this.#mailboxes.get(id) ?? []);
    const mail: SourceMail = {
      ...{ kind: "mail", key: email.id, where, raw, mailboxes },
      keywords: Object.keys(email.keywords)
        .map((keyword) => keyword.toLowerCase())
        .sort(),
      receivedAt: new Date(email.receivedAt),
      thread: email.threadId,
    };
    return mailboxes.length > 0 ? mail : fail("it is in a mailbox that was made just now");
  }
}

function pages<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}

/** Groups that fit into memory. */
function bySize(emails: readonly Email[], known: ReadonlySet<string>): Email[][] {
  const groups: Email[][] = [];
  let octets = maxOctets;
  for (const email of emails) {
    const size = known.has(email.id) ? 0 : email.size;
    if (octets + size > maxOctets || groups.at(-1)!.length >= 100) {
      groups.push([]);
      octets = 0;
    }
    groups.at(-1)!.push(email);
    octets += size;
  }
  return groups;
}
