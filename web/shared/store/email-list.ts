import { signal } from "@preact/signals";
import type { Call, Jmap } from "../jmap/client.ts";
import { MethodFailed } from "../jmap/errors.ts";
import type { QueryResult } from "../jmap/methods.ts";
import type { Comparator, Filter, Id, Thread } from "../jmap/types.ts";
import { type EmailRecord, memberProperties, rowProperties } from "./email-record.ts";
import { Positions } from "./positions.ts";
import type { Records } from "./records.ts";

/** What a list needs of its account. */
export interface ListHome {
  readonly id: Id;
  readonly jmap: Jmap;
  readonly emails: Records<EmailRecord>;
  readonly threads: Records<Thread>;
  learnState(type: "Email" | "Thread", state: string): void;
  catchUp(): Promise<void>;
}

export interface ListSource {
  filter: Filter;
  sort: readonly Comparator[];
  /** One row for each thread, its newest email that matches. */
  collapseThreads: boolean;
}

/** The beginning of a list as it can be kept. */
export interface KeptList {
  source: ListSource;
  queryState: string;
  total: number;
  /** The first rows, at the server's positions. */
  ids: Id[];
}

export const newestFirst: readonly Comparator[] = [{ property: "receivedAt", isAscending: false }];

const pageSize = 50;
/** Of each list so many rows are kept for times without a line. */
const maxKept = 200;
/** While somebody scrolls fast, pages that fly past are not fetched. */
const restMs = 60;
/** More changes than that are cheaper to fetch anew. */
const maxChanges = 500;

/**
 * The result of a query as far as it was looked at: pages are fetched around what is shown, and kept true by Email/queryChanges, so
 * neither the place nor the selection is ever lost. `version` counts the changes of `length` and the ids.
 */
export class EmailList {
  readonly source: ListSource;
  readonly version = signal(0);
  /** Undefined until the first page is there. */
  readonly length = signal<number | undefined>(undefined);
  readonly trouble = signal<Error | undefined>(undefined);
  /** How many rows came at the top while it was open. */
  readonly arrived = signal<readonly Id[]>([]);
  readonly #account: ListHome;
  readonly #positions = new Positions();
  readonly #loading = new Set<number>();
  #queryState: string | undefined;
  #first: Promise<void> | undefined;
  #wanted: [from: number, to: number] = [0, 0];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(account: ListHome, source: ListSource) {
    this.#account = account;
    this.source = source;
  }

  /** The id of a row; undefined while it is not known. */
  idAt(row: number): Id | undefined {
    return this.#positions.idAt(row);
  }

  /** The row of an id, or -1. */
  indexOf(id: Id): number {
    return this.#positions.indexOf(id);
  }

  /** The ids of all rows that were fetched, in order. */
  knownIds(): Id[] {
    return this.#positions.known();
  }

  /** Fetches the first page, once. Its calls are made in this very tick. */
  load(): Promise<void> {
    this.#first ??= this.#fetch(0).catch((error: Error) => {
      this.#first = undefined;
      this.trouble.value = error;
      throw error;
    });
    return this.#first;
  }

  /** What is known of its beginning; undefined if that is not. */
  keep(): KeptList | undefined {
    const ids = this.#positions.beginning(maxKept);
    if (this.#queryState === undefined || (ids.length === 0 && this.#positions.length > 0)) return undefined;
    return { source: this.source, queryState: this.#queryState, total: this.#positions.total, ids };
  }

  /** Begins with what was kept, which `catchUp` brings up to date. */
  restore({ queryState, total, ids }: KeptList): void {
    this.#queryState = queryState;
    this.#first = Promise.resolve();
    this.#positions.reset(total);
    this.#positions.place(0, ids);
    this.recheck(ids);
    this.#changed();
  }

  /** Says which rows are shown, so that they, and some beyond, are fetched. */
  want(from: number, to: number): void {
    this.#wanted = [from, to];
    if (this.#timer !== undefined || this.#missingPages().length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const page of this.#missingPages()) void this.#fetchPage(page);
    }, restMs);
  }

  /** The ids of rows, fetched as needed. */
  async idsOf(from: number, to: number): Promise<Id[]> {
    for (let page = Math.floor(from / pageSize); page * pageSize < to; page++) {
      if (this.#positions.hasAll(page * pageSize, (page + 1) * pageSize)) continue;
      await this.#fetchPage(page);
    }
    const ids: Id[] = [];
    for (let row = from; row < to; row++) {
      const id = this.idAt(row);
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  /** Takes out, or puts back, the rows of emails that will no longer match: at once, before the server says so. */
  recheck(emailIds: readonly Id[]): void {
    const { inMailbox } = this.source.filter as { inMailbox?: Id };
    if (inMailbox === undefined) return;
    const threads = new Set(emailIds.map((id) => this.#account.emails.peek(id)?.threadId));
    const changed = new Set(emailIds);
    const isTouched = (id: Id) =>
      changed.has(id) || (this.source.collapseThreads && threads.has(this.#account.emails.peek(id)?.threadId));
    const hasChanged = this.#positions.hide(isTouched, (id) => !this.#isIn(inMailbox, id));
    if (hasChanged) this.#changed();
  }

  /** Tries again what failed. */
  retry(): void {
    this.trouble.value = undefined;
    void this.load().then(
      () => this.want(...this.#wanted),
      () => {},
    );
  }

  /** Email/queryChanges since the last state. Its calls are made in this very tick. */
  async catchUp(): Promise<void> {
    if (this.trouble.peek()) this.retry();
    if (this.#queryState === undefined) return;
    const { jmap, id: accountId } = this.#account;
    const changes = jmap.call("Email/queryChanges", {
      ...this.#query(accountId),
      sinceQueryState: this.#queryState,
      maxChanges,
      calculateTotal: true,
    });
    const rows = this.#fetchRows(changes, "/added/*/id");
    try {
      const [{ newQueryState, removed, added, total }] = await Promise.all([changes, rows]);
      this.#queryState = newQueryState;
      if (removed.length + added.length === 0) return;
      const wasKnown = new Set(removed);
      const fresh = added.filter(({ id, index }) => !wasKnown.has(id) && index === 0).map(({ id }) => id);
      this.#positions.apply({ removed, added, total: total ?? this.#positions.length });
      if (fresh.length > 0) this.arrived.value = fresh;
      this.#changed();
      this.recheck(added.map(({ id }) => id));
      this.want(...this.#wanted);
    } catch (error) {
      if (!(error instanceof MethodFailed)) throw error;
      await this.reload();
    }
  }

  /** Fetches what is shown anew, by the row on top, so that it stays where it is. */
  async reload(): Promise<void> {
    if (this.#first === undefined) return;
    const anchor = this.idAt(this.#wanted[0]);
    const fresh =
      anchor === undefined
        ? await this.#ask({ position: 0 })
        : await this.#ask({ anchor }).catch(() => this.#ask({ position: 0 }));
    this.#restart(fresh);
  }

  #changed(): void {
    this.length.value = this.#positions.length;
    this.version.value++;
  }

  #missingPages(): number[] {
    const [from, to] = this.#wanted;
    const length = this.#positions.length;
    const pages: number[] = [];
    const last = Math.min(length, to + pageSize / 2);
    for (let page = Math.floor(Math.max(0, from - pageSize / 2) / pageSize); page * pageSize < last; page++) {
      const isThere = this.#positions.hasAll(page * pageSize, Math.min(length, (page + 1) * pageSize));
      if (!isThere && !this.#loading.has(page)) pages.push(page);
    }
    return pages;
  }

  async #fetchPage(page: number): Promise<void> {
    this.#loading.add(page);
    try {
      await this.#fetch(page * pageSize);
      this.trouble.value = undefined;
    } catch (error) {
      this.trouble.value = error as Error;
    } finally {
      this.#loading.delete(page);
    }
  }

  async #fetch(position: number): Promise<void> {
    // Rows that are hidden count for the server.
    const result = await this.#ask({ position: this.#positions.toServer(position) });
    if (this.#queryState === undefined) return this.#restart(result);
    if (this.#queryState !== result.queryState) {
      // The page is of another moment than the rest: bring the rest up to it, or else fetch the page again.
      await this.#account.catchUp();
      if (this.#queryState !== result.queryState) return this.#fetch(position);
    }
    this.#place(result);
  }

  async #ask(place: { position: number } | { anchor: Id }): Promise<QueryResult> {
    const { jmap, id: accountId } = this.#account;
    const query = jmap.call("Email/query", {
      ...this.#query(accountId),
      ...place,
      limit: pageSize,
      calculateTotal: true,
    });
    const [result] = await Promise.all([query, this.#fetchRows(query)]);
    return result;
  }

  #restart(result: QueryResult): void {
    this.#queryState = result.queryState;
    this.#positions.reset(result.total ?? result.position + result.ids.length);
    this.#place(result);
  }

  #place({ position, ids }: QueryResult): void {
    this.#positions.place(position, ids);
    this.recheck(ids);
    this.#changed();
  }

  /** The records of the rows, in the request of the query itself. */
  async #fetchRows(query: Pick<Call<unknown>, "ref">, path = "/ids"): Promise<void> {
    const { jmap, id: accountId, emails, threads } = this.#account;
    const rows = jmap.call("Email/get", { accountId, "#ids": query.ref(path), properties: rowProperties });
    const calls = this.source.collapseThreads ? this.#fetchMembers(rows) : undefined;
    const [{ list, state }, more] = await Promise.all([rows, calls]);
    this.#account.learnState("Email", state);
    emails.put(more?.members ?? []);
    emails.put(list);
    threads.put(more?.threads ?? []);
  }

  async #fetchMembers(rows: Pick<Call<unknown>, "ref">) {
    const { jmap, id: accountId } = this.#account;
    const threads = jmap.call("Thread/get", { accountId, "#ids": rows.ref("/list/*/threadId") });
    const properties = memberProperties;
    const members = jmap.call("Email/get", { accountId, "#ids": threads.ref("/list/*/emailIds"), properties });
    const [{ list, state }, { list: memberList }] = await Promise.all([threads, members]);
    this.#account.learnState("Thread", state);
    return { threads: list, members: memberList };
  }

  #query(accountId: Id) {
    const { filter, sort, collapseThreads } = this.source;
    return { accountId, filter, sort, collapseThreads };
  }

  #isIn(mailboxId: Id, emailId: Id): boolean {
    const { emails, threads } = this.#account;
    const email = emails.peek(emailId);
    const thread = this.source.collapseThreads && email?.threadId ? threads.peek(email.threadId) : undefined;
    return (thread?.emailIds ?? [emailId]).some((id) => {
      const places = emails.peek(id)?.mailboxIds;
      return places === undefined || places[mailboxId] === true;
    });
  }
}
