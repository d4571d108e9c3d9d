import { type Signal, signal } from "@preact/signals";
import type { Jmap } from "../jmap/client.ts";
import { MethodFailed } from "../jmap/errors.ts";
import type { ChangesResult } from "../jmap/methods.ts";
import type { Id, Mailbox, SessionAccount, StateChange, Thread } from "../jmap/types.ts";
import { EmailList, type KeptList, type ListSource } from "./email-list.ts";
import { type EmailRecord, memberProperties, rowProperties } from "./email-record.ts";
import type { Outbox } from "./outbox.ts";
import { patched } from "./patch.ts";
import { Records } from "./records.ts";

type Synced = "Mailbox" | "Thread" | "Email";
export const syncedTypes: readonly Synced[] = ["Mailbox", "Thread", "Email"];

const maxChanges = 500;
const maxLists = 4;

interface Options {
  id: Id;
  about: SessionAccount;
  jmap: Jmap;
  outbox: Outbox;
}

/** What is known of an account, as it can be kept for times without a line. */
export interface KeptAccount {
  states: Partial<Record<Synced, string>>;
  mailboxes: Mailbox[];
  emails: EmailRecord[];
  threads: Thread[];
  lists: KeptList[];
}

/** One account: the records that views read, and how they stay true. */
export class Account {
  readonly id: Id;
  readonly about: SessionAccount;
  readonly jmap: Jmap;
  readonly mailboxes: Signal<ReadonlyMap<Id, Mailbox>> = signal(new Map());
  readonly emails: Records<EmailRecord>;
  readonly threads = new Records<Thread>();
  /** Counts how often all was fetched anew, since the changes were too old: views fetch what they hold besides. */
  readonly resets = signal(0);
  readonly #lists = new Map<string, EmailList>();
  readonly #states: Partial<Record<Synced, string>> = {};
  /** Types whose changes were asked for before a state was known. */
  readonly #missed = new Set<Synced>();
  #learning: ReturnType<typeof setTimeout> | undefined;
  #haveMailboxesFailed = false;
  #catching: Promise<void> | undefined;
  #isAgain = false;

  constructor({ id, about, jmap, outbox }: Options) {
    this.id = id;
    this.about = about;
    this.jmap = jmap;
    this.emails = new Records((email) => outbox.pendingOf(id, email.id).reduce(patched, email));
  }

  /** What is known now, without what waits in the outbox: that is laid over it again. */
  keep(): KeptAccount {
    const lists = [...this.#lists.values()].flatMap((list) => list.keep() ?? []);
    const states = { ...this.#states };
    const mailboxes = [...this.mailboxes.peek().values()];
    return { states, mailboxes, emails: this.emails.all(), threads: this.threads.all(), lists };
  }

  /** Begins with what was kept; `catchUp` finds what changed since. */
  restore({ states, mailboxes, emails, threads, lists }: KeptAccount): void {
    Object.assign(this.#states, states);
    this.mailboxes.value = new Map(mailboxes.map((one) => [one.id, one]));
    this.emails.put(emails);
    this.threads.put(threads);
    for (const list of lists) this.openList(list.source).restore(list);
  }

  byRole(role: string): Mailbox | undefined {
    return [...this.mailboxes.value.values()].find((one) => one.role === role);
  }

  /** If it fails, it is tried again when the line is back. */
  async loadMailboxes(): Promise<void> {
    try {
      const { list, state } = await this.jmap.call("Mailbox/get", { accountId: this.id, ids: null });
      this.mailboxes.value = new Map(list.map((one) => [one.id, one]));
      this.learnState("Mailbox", state);
      this.#haveMailboxesFailed = false;
    } catch (error) {
      this.#haveMailboxesFailed = true;
      throw error;
    }
  }

  /** The list of a source. The last few are kept, and kept true, so that whoever comes back to one need not wait. */
  openList(source: ListSource): EmailList {
    const key = JSON.stringify(source);
    const list = this.#lists.get(key) ?? new EmailList(this, source);
    this.#lists.delete(key);
    this.#lists.set(key, list);
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= maxLists) break;
      this.#lists.delete(oldest);
    }
    return list;
  }

  /** Fetches what is missing of these threads. */
  async loadThreads(threadIds: readonly Id[]): Promise<void> {
    const missing = threadIds.filter((id) => !this.threads.has(id));
    if (missing.length === 0) return;
    await this.#fetchThreads(missing);
  }

  /** Fetches emails anew, such as those that the server refused to change. */
  async reloadEmails(ids: readonly Id[]): Promise<void> {
    const { list, notFound } = await this.jmap.call("Email/get", {
      accountId: this.id,
      ids,
      properties: rowProperties,
    });
    this.emails.put(list);
    this.emails.drop(notFound);
    this.recheck(ids);
  }

  /**
   * The state of a type that a result of /get brought, if none is known yet. Records fetched later are newer, which does no harm. What
   * changed while the result was on its way is found now.
   */
  learnState(type: Synced, state: string): void {
    if (this.#states[type] !== undefined) return;
    this.#states[type] = state;
    if (!this.#missed.delete(type)) return;
    // Once, after all that the same answer brings.
    clearTimeout(this.#learning);
    this.#learning = setTimeout(() => void this.catchUp().catch(() => {}));
  }

  /** A StateChange: nothing to do if it names the states that are known. */
  hear(changed: StateChange[Id]): void {
    const isNews = syncedTypes.some((type) => changed[type] !== undefined && changed[type] !== this.#states[type]);
    if (isNews) void this.catchUp().catch(() => {});
  }

  /** Tells the lists that emails are, or will be, elsewhere. */
  recheck(emailIds: Iterable<Id>): void {
    const ids = [...emailIds];
    for (const list of this.#lists.values()) list.recheck(ids);
  }

  /**
   * Fetches what changed since the states that are known, one run at a time. The first run's calls are made in this very tick, so that
   * they go with a /set made just before. Rejects as the calls do.
   */
  catchUp(): Promise<void> {
    if (this.#catching) {
      this.#isAgain = true;
      return this.#catching;
    }
    this.#catching = this.#catchUpAll().finally(() => {
      this.#catching = undefined;
    });
    return this.#catching;
  }

  async #catchUpAll(): Promise<void> {
    do {
      this.#isAgain = false;
      try {
        this.#isAgain = (await this.#catchUpOnce()) || this.#isAgain;
      } catch (error) {
        if (!(error instanceof MethodFailed) || error.type !== "cannotCalculateChanges") throw error;
        await this.#reset();
      }
    } while (this.#isAgain);
  }

  /** Returns whether there is more. */
  async #catchUpOnce(): Promise<boolean> {
    if (this.#haveMailboxesFailed) void this.loadMailboxes().catch(() => {});
    const changes = (type: Synced) => {
      const sinceState = this.#states[type];
      if (sinceState === undefined) {
        this.#missed.add(type);
        return undefined;
      }
      return this.jmap.call(`${type}/changes`, { accountId: this.id, sinceState, maxChanges });
    };
    const mailboxes = changes("Mailbox");
    const fetched = mailboxes && [
      this.jmap.call("Mailbox/get", { accountId: this.id, "#ids": mailboxes.ref("/created") }),
      this.jmap.call("Mailbox/get", {
        accountId: this.id,
        "#ids": mailboxes.ref("/updated"),
        "#properties": mailboxes.ref("/updatedProperties"),
      }),
    ];
    const results = await Promise.all([
      mailboxes,
      changes("Thread"),
      changes("Email"),
      Promise.all(fetched ?? []),
      ...[...this.#lists.values()].map((list) => list.catchUp()),
    ]);
    const [ofMailboxes, ofThreads, ofEmails, gotten] = results;
    if (ofMailboxes)
      this.#changeMailboxes(
        ofMailboxes,
        gotten.flatMap(({ list }) => list),
      );
    await Promise.all([this.#refreshEmails(ofEmails), this.#refreshThreads(ofThreads)]);
    const all = { Mailbox: ofMailboxes, Thread: ofThreads, Email: ofEmails };
    for (const type of syncedTypes) if (all[type]) this.#states[type] = all[type].newState;
    return syncedTypes.some((type) => all[type]?.hasMoreChanges);
  }

  #changeMailboxes({ created, updated, destroyed }: ChangesResult, list: Partial<Mailbox>[]): void {
    if (created.length + updated.length + destroyed.length === 0) return;
    const all = new Map(this.mailboxes.peek());
    for (const one of list) all.set(one.id!, { ...all.get(one.id!), ...one } as Mailbox);
    for (const id of destroyed) all.delete(id);
    this.mailboxes.value = all;
  }

  async #refreshEmails(changed: ChangesResult | undefined): Promise<void> {
    if (!changed) return;
    this.emails.drop(changed.destroyed.filter((id) => this.emails.has(id)));
    const held = changed.updated.filter((id) => this.emails.has(id));
    if (held.length > 0) {
      const properties = ["keywords", "mailboxIds"];
      const { list } = await this.jmap.call("Email/get", { accountId: this.id, ids: held, properties });
      this.emails.put(list);
    }
    if (held.length + changed.destroyed.length > 0) this.recheck([...held, ...changed.destroyed]);
  }

  async #refreshThreads(changed: ChangesResult | undefined): Promise<void> {
    if (!changed) return;
    this.threads.drop(changed.destroyed.filter((id) => this.threads.has(id)));
    const held = changed.updated.filter((id) => this.threads.has(id));
    if (held.length > 0) await this.#fetchThreads(held);
  }

  async #fetchThreads(ids: readonly Id[]): Promise<void> {
    const threads = this.jmap.call("Thread/get", { accountId: this.id, ids });
    const properties = memberProperties;
    const emails = this.jmap.call("Email/get", {
      accountId: this.id,
      "#ids": threads.ref("/list/*/emailIds"),
      properties,
    });
    const [{ list: found }, { list: members }] = await Promise.all([threads, emails]);
    this.emails.put(members);
    this.threads.put(found);
  }

  /** All anew: the server no longer knows what changed. */
  async #reset(): Promise<void> {
    for (const type of syncedTypes) delete this.#states[type];
    await Promise.all([this.loadMailboxes(), ...[...this.#lists.values()].map((list) => list.reload())]);
    this.resets.value++;
  }
}
