import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type Change, ChangeSet, Kind, type TypeName } from "./change.ts";
import { type Database, patiently } from "./database.ts";
import { AccountMissing, Conflict } from "./errors.ts";
import type { Executor } from "./sql.ts";
import { statement, unprepared } from "./sql.ts";
import { encodeState, readStanding, type Standing } from "./state.ts";

/** On whose behalf: a login, by its own account, or the server itself, which may read every blob. */
export type Viewer = { readonly userId: number } | "server";

/** Reads of one account; calls on one Reader of `snapshot` see one moment. */
export interface Reader extends Executor {
  readonly accountId: number;
  readonly viewer: Viewer;
  /** Read once and kept, so `list` and `state` of a snapshot agree. */
  standing(): Promise<Standing>;
  /** The state string of a type. */
  state(type: TypeName): Promise<string>;
}

/** The account's unit of work: its row is locked, so commit order is state order. */
export interface Tx extends Reader {
  /** The modseq of this write: the last of them, where several writes are folded into this one. */
  readonly modseq: number;
  readonly now: Date;
  /** Ids in rising order, never used before in this account. */
  newIds(count: number): Promise<number[]>;
  /** Writes a row of the change log before the commit. */
  changed(change: Change): void;
  /** What this transaction has changed so far. */
  readonly changes: ChangeSet;
  /** How many bytes of mail the quota leaves: Infinity without one, below 0 where mail that came in went beyond it. */
  readonly room: number;
  /** Tells of messages that were added or, with a negative number, destroyed. */
  grow(bytes: number): void;
  /** Undoes `work` alone when it throws; a unique violation becomes `Conflict`. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

/** What a commit changed, as a push tells it. */
export interface StateChange {
  accountId: number;
  changed: Partial<Record<TypeName, string>>;
}

interface AccountRow {
  modseq: number;
  last_id: number;
  epoch: number;
  used: number;
  quota: number | null;
  quota_id: number | null;
}
const takeAccount = statement<AccountRow>(`
  UPDATE account SET modseq = modseq + $3, last_id = last_id + $2, used = used + $4 WHERE user_id = $1
  RETURNING modseq, last_id, epoch, used, quota, quota_id`);
const takeIds = statement<{ last_id: number }>(
  "UPDATE account SET last_id = last_id + $2 WHERE user_id = $1 RETURNING last_id",
);
const addUsed = statement("UPDATE account SET used = used + $2 WHERE user_id = $1");
const savepoint = unprepared("SAVEPOINT s");
const releaseSavepoint = unprepared("RELEASE SAVEPOINT s");
const rollbackToSavepoint = unprepared("ROLLBACK TO SAVEPOINT s");

export interface StoreOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** Called after each commit that changed something. */
  onCommit?: (change: StateChange) => void;
}

export class Store {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  onCommit: (change: StateChange) => void;

  constructor(options: StoreOptions) {
    this.database = options.database;
    this.clock = options.clock;
    this.log = options.log;
    this.onCommit = options.onCommit ?? (() => {});
  }

  /** Reads of one statement each: no transaction, `standing` is read anew for each reader. */
  reader(accountId: number, viewer: Viewer): Reader {
    return new AccountReader(this.database, accountId, viewer);
  }

  /** Several reads that must agree: one REPEATABLE READ READ ONLY transaction. */
  async snapshot<T>(accountId: number, viewer: Viewer, work: (reader: Reader) => Promise<T>): Promise<T> {
    return patiently(() =>
      this.database.transaction(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (executor) => work(new AccountReader(executor, accountId, viewer)),
        { reads: true },
      ),
    );
  }

  /**
   * The only way an account changes. `ids`: how many new ids the work will want (more can be had inside).
   * `modseqs`: how many writes are folded into this one; the first has modseq `tx.modseq - modseqs + 1`.
   * `bytes`: by how much the account is likely to grow; where that comes true, it costs no statement of its own.
   * Lost races and dropped connections run `work` again, unless the outcome of COMMIT is unknown: then CommitError.
   * `work` must therefore have no effect outside the transaction.
   */
  async write<T>(
    accountId: number,
    viewer: Viewer,
    work: (tx: Tx) => Promise<T>,
    { ids = 0, modseqs = 1, bytes = 0 } = {},
  ): Promise<T> {
    const { result, changed } = await patiently(() =>
      this.database.transaction("BEGIN", async (executor) => {
        const [row] = await executor.run(takeAccount, [accountId, ids, modseqs, bytes]);
        if (!row) throw new AccountMissing(accountId);
        const tx = new AccountTx(executor, { accountId, viewer }, row, { ids, bytes, now: this.clock.now() });
        const result = await work(tx);
        await tx.finish();
        const newest = tx.changes.newest();
        return { result, changed: newest.size === 0 ? undefined : tx.stateStrings(newest) };
      }),
    );
    if (changed) this.onCommit({ accountId, changed });
    return result;
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
    this.#standing ??= readStanding(this.executor, this.accountId).then((standing) => {
      if (!standing) throw new AccountMissing(this.accountId);
      return standing;
    });
    return this.#standing;
  }

  async state(type: TypeName): Promise<string> {
    const { epoch, newest } = await this.standing();
    return encodeState({ epoch, modseq: newest[type] });
  }
}

class AccountTx extends AccountReader implements Tx {
  readonly changes = new ChangeSet();
  readonly now: Date;
  readonly modseq: number;
  readonly #row: AccountRow;
  /** By how much the row was made to grow beforehand. */
  readonly #assumed: number;
  #grown = 0;
  #nextId: number;
  #lastId: number;

  constructor(
    executor: Executor,
    { accountId, viewer }: { accountId: number; viewer: Viewer },
    row: AccountRow,
    { ids, bytes, now }: { ids: number; bytes: number; now: Date },
  ) {
    super(executor, accountId, viewer);
    this.modseq = row.modseq;
    this.now = now;
    this.#row = row;
    this.#assumed = bytes;
    this.#nextId = row.last_id - ids + 1;
    this.#lastId = row.last_id;
  }

  async newIds(count: number): Promise<number[]> {
    if (this.#nextId + count - 1 > this.#lastId) {
      const [row] = await this.run(takeIds, [this.accountId, count]);
      this.#lastId = row!.last_id;
      this.#nextId = this.#lastId - count + 1;
    }
    const first = this.#nextId;
    this.#nextId += count;
    return Array.from({ length: count }, (_, index) => first + index);
  }

  changed(change: Change): void {
    this.changes.add(change, this.modseq);
  }

  get room(): number {
    const { used, quota } = this.#row;
    return quota === null ? Number.POSITIVE_INFINITY : quota - (used - this.#assumed + this.#grown);
  }

  grow(bytes: number): void {
    this.#grown += bytes;
  }

  /** Writes what was kept for the end. */
  async finish(): Promise<void> {
    if (this.#grown !== this.#assumed) await this.run(addUsed, [this.accountId, this.#grown - this.#assumed]);
    // An account without a limit has no Quota to tell of.
    const { quota_id: id } = this.#row;
    if (this.#grown !== 0 && id !== null) this.changed({ type: "Quota", id, kind: Kind.counts });
    await this.changes.write(this.executor, this.accountId, this.now);
  }

  /** In a write, the state before it until something of the type changed, then the state it will commit. */
  override async state(type: TypeName): Promise<string> {
    const { epoch, newest } = await this.standing();
    return encodeState({ epoch, modseq: this.changes.newest().get(type) ?? newest[type] });
  }

  stateStrings(newest: Map<TypeName, number>): StateChange["changed"] {
    return Object.fromEntries(
      [...newest].map(([type, modseq]) => [type, encodeState({ epoch: this.#row.epoch, modseq })]),
    );
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const mark = this.changes.mark();
    const grown = this.#grown;
    await this.run(savepoint);
    try {
      const result = await work();
      await this.run(releaseSavepoint);
      return result;
    } catch (error) {
      this.changes.restore(mark);
      this.#grown = grown;
      await this.run(rollbackToSavepoint);
      await this.run(releaseSavepoint);
      const { code, constraint } = error as { code?: string; constraint?: string };
      if (code === "23505") throw new Conflict(constraint ?? "unique", error);
      throw error;
    }
  }
}
