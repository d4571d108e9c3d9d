import { type ChangeSet, type TypeName, writeChanges } from "./change.ts";
import type { TransactionExecutor } from "./connection.ts";
import type { Sending } from "./db.ts";
import { type Row, write } from "./declare.ts";
import { AccountMissing } from "./errors.ts";
import { readStanding, type Standing } from "./state.ts";

const taken = ["modseq", "lastId", "epoch", "used", "quota", "quotaId", "createdAt", "sending"] as const;
type AccountRow = Row<"account", (typeof taken)[number]>;
const take = write("account.take", (db, $: { accountId: number; ids: number; modseqs: number; bytes: number }) =>
  db
    .updateTable("account")
    .set((eb) => ({
      modseq: eb("modseq", "+", $.modseqs),
      lastId: eb("lastId", "+", $.ids),
      used: eb("used", "+", $.bytes),
    }))
    .where("userId", "=", $.accountId)
    .returning(taken),
);
const addUsed = write("account.addUsed", (db, $: { accountId: number; bytes: number }) =>
  db
    .updateTable("account")
    .set((eb) => ({ used: eb("used", "+", $.bytes) }))
    .where("userId", "=", $.accountId),
);

const writeSending = write("account.sending", (db, $: { accountId: number; sending: string | null }) =>
  db.updateTable("account").set({ sending: $.sending }).where("userId", "=", $.accountId),
);

/** Changes what is known of the account as a sender. */
export function sendSending(executor: TransactionExecutor, accountId: number, sending: Sending): void {
  const isNothing = Object.keys(sending).length === 0;
  executor.send(writeSending, { accountId, sending: isNothing ? null : JSON.stringify(sending) });
}

/** What a write expects to need from the account's row; taken together with the lock. */
export interface Wanted {
  /** New ids. */
  ids: number;
  modseqs: number;
  /** The expected growth. */
  bytes: number;
  /** Whether it will ask for states. */
  states: boolean;
  /** Whether it removes the account: what came after it in the transaction would change nothing. */
  isLast: boolean;
}

/** The locked row of the account, and what the writes in this transaction have changed so far. */
export class HeldAccount {
  readonly accountId: number;
  readonly row: AccountRow;
  readonly #executor: TransactionExecutor;
  readonly #assumed: number;
  #grown = 0;
  readonly #written: ChangeSet[] = [];
  readonly #newest = new Map<TypeName, number>();
  #standing: Promise<Standing> | undefined;

  /** `standing`: set if it was requested together with the row. */
  private constructor(
    executor: TransactionExecutor,
    accountId: number,
    row: AccountRow,
    assumed: number,
    standing: Promise<Standing> | undefined,
  ) {
    this.#executor = executor;
    this.accountId = accountId;
    this.row = row;
    this.#assumed = assumed;
    this.#standing = standing;
  }

  static async take(
    executor: TransactionExecutor,
    accountId: number,
    { ids, modseqs, bytes, states }: Wanted,
  ): Promise<HeldAccount> {
    const taking = executor.run(take, { accountId, ids, modseqs, bytes });
    const standing = states ? readStanding(executor, accountId) : undefined;
    standing?.catch(() => {});
    const [row] = await taking;
    if (!row) throw new AccountMissing(accountId);
    return new HeldAccount(executor, accountId, row, bytes, standing);
  }

  /** The standing after the writes so far. */
  async standing(): Promise<Standing> {
    this.#standing ??= readStanding(this.#executor, this.accountId);
    const before = await this.#standing;
    if (this.#newest.size === 0) return before;
    return { ...before, newest: { ...before.newest, ...Object.fromEntries(this.#newest) } };
  }

  /** How many bytes the quota leaves. */
  get room(): number {
    const { used, quota } = this.row;
    return quota === null ? Number.POSITIVE_INFINITY : quota - (used - this.#assumed + this.#grown);
  }

  /** Records that one of the writes is done. */
  add(changes: ChangeSet, grown: number): void {
    this.#grown += grown;
    this.#written.push(changes);
    for (const [type, modseq] of changes.newest()) this.#newest.set(type, modseq);
  }

  /** Sends the collected changes; returns each type's newest modseq. */
  finish(now: Date): ReadonlyMap<TypeName, number> {
    const more = this.#grown - this.#assumed;
    if (more !== 0) this.#executor.send(addUsed, { accountId: this.accountId, bytes: more });
    const rows = this.#written.flatMap((changes) => changes.rows);
    writeChanges(this.#executor, this.accountId, rows, now);
    return this.#newest;
  }
}
