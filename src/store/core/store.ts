import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { retry } from "../../base/retry.ts";
import { thisSpan } from "../../base/traces.ts";
import { type Change, ChangeSet, Kind, type TypeName } from "./change.ts";
import type { TransactionExecutor } from "./connection.ts";
import type { Database } from "./database.ts";
import type { Sending } from "./db.ts";
import { write } from "./declare.ts";
import { AccountMissing, Conflict, constraintOf } from "./errors.ts";
import { Gathering } from "./gathering.ts";
import { HeldAccount, sendSending, type Wanted } from "./held-account.ts";
import { databasePatience, isRetryable } from "./loss.ts";
import type { Executor } from "./sql.ts";
import { encodeState, readStanding, type Standing } from "./state.ts";

/** Who reads or writes: a login, named by its own account, or the server itself, which may read every blob. */
export type Viewer = { readonly userId: number } | "server";

/** Reads one account. All calls on the Reader of a `snapshot` see the same moment. */
export interface Reader extends Executor {
  readonly accountId: number;
  readonly viewer: Viewer;
  /** Read once and kept, so that `list` and `state` of a snapshot agree. */
  standing(): Promise<Standing>;
  /** The state string of a type. */
  state(type: TypeName): Promise<string>;
}

/** The account's unit of work. It locks the account's row, so the order of commits is the order of states. */
export interface Tx extends Reader {
  /** Like `run`, without waiting. An error surfaces at the next awaited answer, at COMMIT at the latest. */
  send: TransactionExecutor["send"];
  /** The modseq of this write; the last one when several writes are folded into it. */
  readonly modseq: number;
  readonly now: Date;
  /** Ascending ids that this account has never used. */
  newIds(count: number): Promise<number[]>;
  /** Records a change; its row of the change log is written before the commit. */
  changed(change: Change): void;
  /** What this transaction has changed so far. */
  readonly changes: ChangeSet;
  readonly createdAt: Date;
  /** What is known of the account as a sender. */
  readonly sending: Sending;
  /** After the commit `onHeld` is told, if the account's mail is held by this. */
  changeSending(after: Sending): void;
  /** How many bytes of mail the quota leaves: Infinity without one, negative when delivered mail exceeded it. */
  readonly room: number;
  /** Counts the bytes of messages that were added or, as a negative number, destroyed. */
  grow(bytes: number): void;
  /**
   * Runs `work` once the transaction is committed, unless this write, or a savepoint around the call, fails. A crash in between
   * loses it. An error is only logged.
   */
  afterCommit(work: () => void): void;
  /** Rolls back only `work` when it throws; a unique violation becomes `Conflict`. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

/** What a commit changed, as a StateChange push reports it (RFC 8620 §7.1). */
export interface StateChange {
  accountId: number;
  changed: Partial<Record<TypeName, string>>;
}

/** An account's mail is held from now on. */
export interface SenderHeld {
  accountId: number;
  hold: NonNullable<Sending["hold"]>;
}

const takeIds = write("account.takeIds", (db, $: { accountId: number; count: number }) =>
  db
    .updateTable("account")
    .set((eb) => ({ lastId: eb("lastId", "+", $.count) }))
    .where("userId", "=", $.accountId)
    .returning("lastId"),
);

/** A process that hangs in the middle keeps the account's row for so long at most: whoever waits for it gives up after 10 s. */
const beginWrite = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'";

/** How many writes may share a commit. */
const maxWritesTogether = 32;

interface Write {
  viewer: Viewer;
  work: (tx: Tx) => Promise<unknown>;
  wanted: Wanted;
  /** Enters the span in which the write was asked for. */
  within: ReturnType<typeof thisSpan>;
  resolve: (result: never) => void;
  reject: (error: unknown) => void;
}
type Outcome = { result: unknown; afterwards: readonly (() => void)[] } | { error: unknown };

export interface StoreOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** Called after each commit that changed something. */
  onCommit?: (change: StateChange) => void;
  /** For how long further writes may join a transaction; none is answered before its commit. (Default: 5) */
  maxFoldMs?: number;
}

export class Store {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  onCommit: (change: StateChange) => void;
  /** Called once an account's mail is held. */
  onHeld: (held: SenderHeld) => void = () => {};
  readonly #maxFoldMs: number;
  readonly #writes = new Gathering<Write>((accountId, waiting) =>
    waiting[0]!.within(() => this.#writeTogether(accountId, waiting)),
  );

  constructor(options: StoreOptions) {
    this.database = options.database;
    this.clock = options.clock;
    this.log = options.log;
    this.onCommit = options.onCommit ?? (() => {});
    this.#maxFoldMs = options.maxFoldMs ?? 5;
  }

  /** For single statements outside a transaction. Each reader reads `standing` anew. */
  reader(accountId: number, viewer: Viewer): Reader {
    return new AccountReader(this.database.of(accountId), accountId, viewer);
  }

  /** Runs reads in order on one connection; each sees what is committed when it runs. */
  async reads<T>(accountId: number, viewer: Viewer, work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#patiently(() =>
      this.database.connected((executor) => work(new AccountReader(executor, accountId, viewer)), accountId),
    );
  }

  /** Runs reads that must agree, in one REPEATABLE READ READ ONLY transaction. */
  async snapshot<T>(accountId: number, viewer: Viewer, work: (reader: Reader) => Promise<T>): Promise<T> {
    return this.#patiently(() =>
      this.database.transaction(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (executor) => work(new AccountReader(executor, accountId, viewer)),
        { account: accountId, reads: true },
      ),
    );
  }

  /**
   * The only way an account changes. `ids`: how many new ids the work expects to need (it may ask for more).
   * `modseqs`: how many writes are folded into this one; the first has modseq `tx.modseq - modseqs + 1`.
   * `bytes`: the expected growth of the account; a correct guess saves a statement.
   * `states`: whether the work will ask for states.
   * `isLast`: whether it removes the account; no write after it joins its transaction.
   * Lost races and dropped connections run `work` again, so it must have no effect outside the transaction.
   * Throws CommitError when the outcome of COMMIT is unknown.
   */
  write<T>(
    accountId: number,
    viewer: Viewer,
    work: (tx: Tx) => Promise<T>,
    { ids = 0, modseqs = 1, bytes = 0, states = false, isLast = false }: Partial<Wanted> = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const wanted = { ids, modseqs, bytes, states, isLast };
      this.#writes.add(accountId, { viewer, work, wanted, within: thisSpan(), resolve, reject });
    });
  }

  /** Runs the waiting writes in order in one transaction, each as if it were alone. */
  async #writeTogether(accountId: number, waiting: Write[]): Promise<void> {
    const writes = waiting.splice(0, maxWritesTogether);
    let outcomes: Outcome[] = [];
    let changed: StateChange["changed"] | undefined;
    try {
      changed = await this.#persistently(() =>
        this.database.transaction(
          beginWrite,
          async (executor) => {
            outcomes = [];
            const now = this.clock.now();
            const wanted = sumOf(writes);
            const held = await HeldAccount.take(executor, accountId, wanted);
            const start = { modseq: held.row.modseq - wanted.modseqs, id: held.row.lastId - wanted.ids };
            const tellHeld = (sender: SenderHeld) => this.onHeld(sender);
            await this.#run(writes, { executor, held, now, tellHeld, ...start }, outcomes);
            const newest = held.finish(now);
            return newest.size === 0 ? undefined : stateStrings(held.row.epoch, newest);
          },
          { account: accountId },
        ),
      );
    } catch (error) {
      // The others would fail alike, each after as long a wait.
      const failsAll = isRetryable(error) || error instanceof AccountMissing;
      if (failsAll) writes.push(...waiting.splice(0));
      const length = failsAll ? writes.length : Math.max(outcomes.length, 1);
      outcomes = Array.from({ length }, () => ({ error }));
    }
    waiting.unshift(...writes.slice(outcomes.length));
    outcomes.forEach((outcome, index) => {
      const { resolve, reject } = writes[index]!;
      if ("error" in outcome) reject(outcome.error);
      else {
        for (const work of outcome.afterwards) this.#afterwards(accountId, work, "work after a commit failed");
        resolve(outcome.result as never);
      }
    });
    if (changed) this.#afterwards(accountId, () => this.onCommit({ accountId, changed }), "state change not published");
  }

  /** The commit is done, so its writes have succeeded, whatever fails now. */
  #afterwards(account: number, work: () => void, trouble: string): void {
    try {
      work();
    } catch (error) {
      this.log.error({ account, err: error }, trouble);
    }
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return retry(work, { ...databasePatience, clock: this.clock });
  }

  /**
   * Asks once more for an account that seems to be gone: a statement that waited while Citus split its shard sees none of
   * the shard's rows, and mail that was accepted would be dropped.
   */
  async #persistently<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#patiently(work);
    } catch (error) {
      if (!(error instanceof AccountMissing)) throw error;
      return this.#patiently(work);
    }
  }

  /** Adds each write's outcome to `outcomes`. A single write needs no savepoint: the transaction rolls it back. */
  async #run(writes: readonly Write[], place: Place, outcomes: Outcome[]): Promise<void> {
    const started = performance.now();
    const isAlone = writes.length === 1;
    let { modseq, id } = place;
    for (const { viewer, work, wanted, within } of writes) {
      if (outcomes.length > 0 && performance.now() - started > this.#maxFoldMs) return;
      modseq += wanted.modseqs;
      const tx = new AccountTx({ ...place, modseq, id }, viewer, wanted.ids);
      id += wanted.ids;
      try {
        const result = await within(() => (isAlone ? work(tx) : place.executor.savepoint(() => work(tx))));
        tx.finish();
        outcomes.push({ result, afterwards: tx.afterwards });
      } catch (error) {
        if (isAlone || isRetryable(error)) throw error;
        outcomes.push({ error });
      }
      if (wanted.isLast) return;
    }
  }
}

class AccountReader implements Reader {
  readonly accountId: number;
  readonly viewer: Viewer;
  readonly executor: Executor;
  #standing: Promise<Standing> | undefined;

  constructor(executor: Executor, accountId: number, viewer: Viewer) {
    this.executor = executor;
    this.accountId = accountId;
    this.viewer = viewer;
  }

  run: Executor["run"] = (...statement) => this.executor.run(...statement);
  count: Executor["count"] = (...statement) => this.executor.count(...statement);

  standing(): Promise<Standing> {
    this.#standing ??= readStanding(this.executor, this.accountId);
    return this.#standing;
  }

  async state(type: TypeName): Promise<string> {
    const { epoch, newest } = await this.standing();
    return encodeState({ epoch, modseq: newest[type] });
  }
}

function sumOf(writes: readonly Write[]): Wanted {
  const sum = { ids: 0, modseqs: 0, bytes: 0, states: false, isLast: false };
  for (const { wanted } of writes) {
    sum.ids += wanted.ids;
    sum.modseqs += wanted.modseqs;
    sum.bytes += wanted.bytes;
    sum.states ||= wanted.states;
    sum.isLast ||= wanted.isLast;
  }
  return sum;
}

interface Place {
  executor: TransactionExecutor;
  held: HeldAccount;
  now: Date;
  tellHeld: (held: SenderHeld) => void;
  /** The last modseq and id handed out before. */
  modseq: number;
  id: number;
}

function stateStrings(epoch: number, newest: ReadonlyMap<TypeName, number>): StateChange["changed"] {
  return Object.fromEntries([...newest].map(([type, modseq]) => [type, encodeState({ epoch, modseq })]));
}

class AccountTx extends AccountReader implements Tx {
  readonly changes = new ChangeSet();
  readonly afterwards: (() => void)[] = [];
  readonly now: Date;
  readonly modseq: number;
  readonly #held: HeldAccount;
  readonly #executor: TransactionExecutor;
  readonly #tellHeld: Place["tellHeld"];
  #sending: Sending;
  #grown = 0;
  #nextId: number;
  #lastId: number;

  constructor({ executor, held, now, tellHeld, modseq, id }: Place, viewer: Viewer, ids: number) {
    super(executor, held.accountId, viewer);
    this.#executor = executor;
    this.#held = held;
    this.#tellHeld = tellHeld;
    this.#sending = held.row.sending ?? {};
    this.modseq = modseq;
    this.now = now;
    this.#nextId = id + 1;
    this.#lastId = id + ids;
  }

  send: TransactionExecutor["send"] = (...statement) => this.#executor.send(...statement);

  override standing(): Promise<Standing> {
    return this.#held.standing();
  }

  async newIds(count: number): Promise<number[]> {
    if (this.#nextId + count - 1 > this.#lastId) {
      const [row] = await this.run(takeIds, { accountId: this.accountId, count });
      this.#lastId = row!.lastId;
      this.#nextId = this.#lastId - count + 1;
    }
    const first = this.#nextId;
    this.#nextId += count;
    return Array.from({ length: count }, (_, index) => first + index);
  }

  changed(change: Change): void {
    this.changes.add(change, this.modseq);
  }

  afterCommit(work: () => void): void {
    this.afterwards.push(work);
  }

  get room(): number {
    return this.#held.room - this.#grown;
  }

  get createdAt(): Date {
    return this.#held.row.createdAt;
  }

  get sending(): Sending {
    return this.#sending;
  }

  changeSending(after: Sending): void {
    this.#sending = after;
    sendSending(this.#executor, this.accountId, after);
  }

  grow(bytes: number): void {
    this.#grown += bytes;
  }

  finish(): void {
    // An account without a limit has no Quota object.
    const { quotaId: id } = this.#held.row;
    if (this.#grown !== 0 && id !== null) this.changed({ type: "Quota", id, kind: Kind.counts });
    const { hold } = this.#sending;
    const { accountId } = this;
    if (hold && !this.#held.row.sending?.hold) this.afterCommit(() => this.#tellHeld({ accountId, hold }));
    this.#held.row.sending = this.#sending;
    this.#held.add(this.changes, this.#grown);
  }

  /** Before the write changes anything of the type, its old state; afterwards the state that will be committed. */
  override async state(type: TypeName): Promise<string> {
    const { epoch, newest } = await this.standing();
    return encodeState({ epoch, modseq: this.changes.newest().get(type) ?? newest[type] });
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const mark = this.changes.mark();
    const [grown, sending] = [this.#grown, this.#sending];
    const { length } = this.afterwards;
    try {
      return await this.#executor.savepoint(work);
    } catch (error) {
      this.changes.restore(mark);
      [this.#grown, this.#sending] = [grown, sending];
      this.afterwards.length = length;
      if ((error as { code?: string }).code === "23505") throw new Conflict(constraintOf(error as Error), error);
      throw error;
    }
  }
}
