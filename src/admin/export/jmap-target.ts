import { type JmapClient, MethodFailed } from "../import/jmap-client.ts";
import type { FiledIn, FiledMail, MailWriter } from "./mails.ts";

/** So many mails, or octets, are taken in by one call. */
const maxMails = 50;
const maxOctets = 4_000_000;
const pageSize = 500;

interface Mailbox {
  id: string;
  name: string;
  parentId: string | null;
  role: string | null;
}
interface Known {
  id: string;
  messageId: string[] | null;
  size: number;
  receivedAt: string;
}
type Refusal = { type: string; description?: string };
type SetResult = { created: Record<string, { id: string }> | null; notCreated: Record<string, Refusal> | null };

/**
 * Puts mail into an account of another JMAP server (RFC 8621 §4.8). Mailboxes with the same role, or the same name in the same place,
 * are the same. A mail is there already if one of its Message-ID, size and time is, as often as there are such: so a run that was broken off
 * is gone on with.
 */
export class JmapTarget implements MailWriter {
  present = 0;
  /** Mails that the other server refused, and what it said. */
  readonly refused: { id: string; why: string }[] = [];
  readonly #client: JmapClient;
  readonly #mailboxes = new Map<string, string>();
  readonly #known = new Map<string, number>();
  #waiting: { mail: FiledMail; message: Buffer }[] = [];
  #octets = 0;

  constructor(client: JmapClient) {
    this.#client = client;
  }

  async begin(mailboxes: readonly FiledIn[]): Promise<void> {
    const { list } = await this.#client.call<{ list: Mailbox[] }>("Mailbox/get", { ids: null });
    // By the length of their paths: parents first.
    for (const mailbox of mailboxes.toSorted((a, b) => a.path.length - b.path.length)) {
      const parent = mailboxes.find(
        ({ path }) => path.length === mailbox.path.length - 1 && path.every((name, at) => name === mailbox.path[at]),
      );
      const parentId = parent ? this.#mailboxes.get(parent.id)! : null;
      const name = mailbox.path.at(-1)!;
      const same =
        list.find(({ role }) => role !== null && role === mailbox.role) ??
        list.find((other) => other.name === name && other.parentId === parentId);
      const id = same?.id ?? (await this.#makeMailbox(mailbox, { name, parentId }));
      this.#mailboxes.set(mailbox.id, id);
    }
    await this.#learnMails();
  }

  async #makeMailbox(
    { role, isSubscribed }: FiledIn,
    place: { name: string; parentId: string | null },
  ): Promise<string> {
    const create = { new: { ...place, role, isSubscribed } };
    const { created, notCreated } = await this.#client.call<SetResult>("Mailbox/set", { create });
    const { new: made } = created ?? {};
    if (made) return made.id;
    throw new MethodFailed(`Mailbox/set of "${place.name}"`, notCreated?.new ?? {});
  }

  async #learnMails(): Promise<void> {
    const sort = [{ property: "receivedAt", isAscending: true }];
    for (let position = 0; ; ) {
      const query = { sort, position, limit: Math.min(pageSize, this.#client.maxObjectsInGet) };
      const { ids } = await this.#client.call<{ ids: string[] }>("Email/query", query);
      if (ids.length === 0) return;
      const properties = ["messageId", "size", "receivedAt"];
      const { list } = await this.#client.call<{ list: Known[] }>("Email/get", { ids, properties });
      for (const { messageId, size, receivedAt } of list) {
        const key = keyOf(messageId?.[0], size, new Date(receivedAt));
        this.#known.set(key, (this.#known.get(key) ?? 0) + 1);
      }
      position += ids.length;
    }
  }

  async add(mail: FiledMail, message: Buffer): Promise<void> {
    const key = keyOf(mail.messageId, message.length, mail.receivedAt);
    const left = this.#known.get(key) ?? 0;
    if (left > 0) {
      this.#known.set(key, left - 1);
      this.present++;
      return;
    }
    this.#waiting.push({ mail, message });
    this.#octets += message.length;
    if (this.#waiting.length === maxMails || this.#octets >= maxOctets) await this.finish();
  }

  async finish(): Promise<void> {
    const batch = this.#waiting;
    [this.#waiting, this.#octets] = [[], 0];
    if (batch.length === 0) return;
    const emails: Record<string, object> = {};
    for (const { mail, message } of batch) {
      const { blobId } = await this.#client.upload(message, "message/rfc822");
      const ids = mail.mailboxIds.map((id) => [this.#mailboxes.get(id)!, true]);
      emails[mail.id] = {
        blobId,
        mailboxIds: Object.fromEntries(ids),
        keywords: Object.fromEntries(mail.keywords.map((keyword) => [keyword, true])),
        receivedAt: `${mail.receivedAt.toISOString().slice(0, 19)}Z`,
      };
    }
    const { notCreated } = await this.#client.call<SetResult>("Email/import", { emails });
    for (const [id, { type, description = "" }] of Object.entries(notCreated ?? {})) {
      // The same message is there, in the words of a server that keeps each once.
      if (type === "alreadyExists") this.present++;
      else this.refused.push({ id, why: `${type} ${description}`.trim() });
    }
  }
}

const keyOf = (messageId: string | undefined, size: number, receivedAt: Date) =>
  `${Math.floor(receivedAt.getTime() / 1000)} ${size} ${messageId ?? ""}`;
