import { normalized } from "../../base/normalize.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import {
  deleteMailboxes,
  insertMailboxes,
  loadMailboxes,
  type MailboxRow,
  updateMailboxes,
} from "../../store/mail/mailboxes.ts";
import type { SourceMailbox } from "./source.ts";

/** As JMAP has it: src/jmap/mailbox/check.ts. */
const maxDepth = 10;
const maxNameOctets = 255;

/** The mailbox that a name of the source became, and the path that it had then. */
type Mapped = Record<string, { id: number; path: string }>;

const keyOf = (path: readonly string[]) => path.join("\0");

/** A name that a mailbox may have (RFC 5198), as near to the source's as can be. */
export function mailboxName(given: string): string {
  let name = normalized(given.toWellFormed().replace(/[\p{Cc}\u2028\u2029]+/gu, " "), "NFC").trim();
  while (Buffer.byteLength(name) > maxNameOctets) name = [...name].slice(0, -1).join("");
  return name === "" ? "Unnamed" : name;
}

/** Deeper levels become one name. */
function shallow(path: readonly string[]): string[] {
  const names = path.map(mailboxName);
  return names.length <= maxDepth
    ? names
    : [...names.slice(0, maxDepth - 1), mailboxName(names.slice(maxDepth - 1).join("/"))];
}

/** Finds the account's mailboxes for those of a source, and makes what is missing. */
export class Places {
  readonly #store: Store;
  readonly #accountId: number;
  readonly #into: readonly string[];
  /** By the names that the source has for mailboxes that may be renamed. */
  readonly mapped: Mapped;
  readonly #roles = new Map<string, string>();
  readonly #ids = new Map<string, number>();

  /** `into`: the path below which all is put; empty: mailboxes with a role join those of the account. */
  constructor(store: Store, accountId: number, into: readonly string[], mapped: Mapped) {
    this.#store = store;
    this.#accountId = accountId;
    this.#into = into;
    this.mapped = mapped;
  }

  /** The numbers of these mailboxes. Makes those that are missing. */
  async idsOf(mailboxes: readonly SourceMailbox[]): Promise<number[]> {
    const missing = mailboxes.filter((mailbox) => !this.#ids.has(keyOf(mailbox.path)));
    if (missing.length > 0) await this.#find(missing);
    return [...new Set(mailboxes.map(({ path }) => this.#ids.get(keyOf(path))!))];
  }

  /** A mailbox is gone: looks anew. */
  forget(): void {
    this.#ids.clear();
  }

  /** Learns all mailboxes of the source: those that it renamed are renamed here. */
  async learn(mailboxes: readonly SourceMailbox[]): Promise<void> {
    for (const { path, role } of mailboxes) if (role) this.#roles.set(keyOf(path), role);
    const sorted = [...mailboxes].sort((a, b) => a.path.length - b.path.length);
    await this.#find(sorted);
  }

  /** Removes what the source has no more and what is empty here too. */
  async drop(mailboxes: readonly SourceMailbox[]): Promise<void> {
    const there = new Set(mailboxes.map(({ id }) => id));
    const gone = Object.keys(this.mapped).filter((id) => !there.has(id));
    if (gone.length === 0) return;
    const ids = new Set(gone.map((id) => this.mapped[id]!.id));
    await this.#store.write(this.#accountId, "server", async (tx) => {
      const rows = await loadMailboxes(tx);
      const isParent = (id: number) => rows.some((row) => row.parentId === id && !ids.has(row.id));
      const empty = rows.filter((row) => ids.has(row.id) && !row.role && row.totalEmails === 0 && !isParent(row.id));
      // A parent may go only with all that is below it.
      const going = new Set(empty.map(({ id }) => id));
      const stays = (row: MailboxRow) => rows.some((below) => below.parentId === row.id && !going.has(below.id));
      for (let left = -1; left !== going.size; ) {
        left = going.size;
        for (const row of empty) if (going.has(row.id) && stays(row)) going.delete(row.id);
      }
      if (going.size > 0) await deleteMailboxes(tx, [...going]);
    });
    for (const id of gone) delete this.mapped[id];
  }

  #find(mailboxes: readonly SourceMailbox[]): Promise<void> {
    return this.#store.write(this.#accountId, "server", async (tx) => {
      const rows = await loadMailboxes(tx);
      for (const mailbox of mailboxes) {
        const mapped = mailbox.id === undefined ? undefined : this.mapped[mailbox.id];
        const found = mapped && rows.find(({ id }) => id === mapped.id);
        if (found) {
          this.#ids.set(keyOf(mailbox.path), found.id);
          if (mapped.path !== keyOf(mailbox.path)) await this.#rename(tx, rows, found, mailbox.path);
        } else this.#ids.set(keyOf(mailbox.path), (await this.#make(tx, rows, mailbox.path, mailbox.role)).id);
        const id = this.#ids.get(keyOf(mailbox.path))!;
        if (mailbox.id !== undefined) this.mapped[mailbox.id] = { id, path: keyOf(mailbox.path) };
      }
    });
  }

  /** A name that is taken here stays as it was. */
  async #rename(tx: Tx, rows: MailboxRow[], row: MailboxRow, path: readonly string[]): Promise<void> {
    const own = shallow([...this.#into, ...path]);
    const name = own.at(-1)!;
    const parentId = own.length > 1 ? await this.#parent(tx, rows, path) : null;
    const isTaken = rows.some((other) => other.id !== row.id && other.parentId === parentId && other.name === name);
    if (row.role || isTaken || parentId === row.id) return;
    Object.assign(row, { name, parentId });
    await updateMailboxes(tx, [row]);
  }

  async #parent(tx: Tx, rows: MailboxRow[], path: readonly string[]): Promise<number | null> {
    const above = path.slice(0, -1);
    if (above.length === 0 && this.#into.length === 0) return null;
    return this.#ids.get(keyOf(above)) ?? (await this.#make(tx, rows, above)).id;
  }

  async #make(tx: Tx, rows: MailboxRow[], path: readonly string[], given?: string): Promise<MailboxRow> {
    const isInbox = path.length === 0 || (path.length === 1 && path[0]!.toUpperCase() === "INBOX");
    const role = this.#into.length > 0 ? null : (given ?? this.#roles.get(keyOf(path)) ?? (isInbox ? "inbox" : null));
    const ofRole = role && rows.find((row) => row.role === role);
    if (ofRole) return ofRole;
    const names = shallow([...this.#into, ...(path.length === 0 && this.#into.length === 0 ? ["Inbox"] : path)]);
    let parentId: number | null = null;
    let found: MailboxRow | undefined;
    for (const [level, name] of names.entries()) {
      const isLast = level === names.length - 1;
      // A parent may be a mailbox with a role, such as the inbox, whatever its name is here.
      const asParent = isLast || this.#into.length > 0 ? undefined : this.#ids.get(keyOf(path.slice(0, level + 1)));
      const isOfInbox = level === 0 && !isLast && this.#into.length === 0 && name.toUpperCase() === "INBOX";
      found = rows.find((row) =>
        asParent !== undefined
          ? row.id === asParent
          : isOfInbox
            ? row.role === "inbox"
            : row.parentId === parentId && row.name === name,
      );
      found ??= await add(tx, rows, { name, parentId, role: isLast ? role : null });
      parentId = found.id;
    }
    return found!;
  }
}

async function add(
  tx: Tx,
  rows: MailboxRow[],
  { name, parentId, role }: Pick<MailboxRow, "name" | "parentId" | "role">,
): Promise<MailboxRow> {
  const [id] = await tx.newIds(1);
  const fields = { id: id!, name, parentId, role, sortOrder: 0, isSubscribed: true };
  await insertMailboxes(tx, [fields]);
  const row = { ...fields, totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
  rows.push(row);
  return row;
}
