import { together } from "../../base/together.ts";
import { noteSent, putOffDeliveries } from "../../store/queues/deliveries.ts";
import { type SettledHint, settleHints } from "../../store/queues/due.ts";
import type { MailOutOptions } from "./options.ts";
import { persistently } from "./persistently.ts";
import { recordSettled, type Settled } from "./record-settled.ts";

type Note = { submissionId: number; no: number; smtpReply: string };
type PutOff = { submissionId: number; no: number; nextAttemptAt: Date };

/** How long the record of an outcome waits for others. It is noted already, so only its sight is late. */
const recordAfterMs = 20;
/** More would hold the account's row for long. */
const maxRecorded = 50;
const hintsAfterMs = 50;

/** Records what becomes of mails: what ends together for an account shares statements and commits. */
export class Recorder {
  readonly #note: (userId: number, notes: readonly Note[]) => Promise<void>;
  readonly #putOff: (userId: number, rows: readonly PutOff[]) => Promise<void>;
  readonly #settle: (userId: number, settled: Settled) => Promise<boolean | Error>;
  readonly #settleHint: (all: "all", hint: SettledHint) => Promise<void>;

  constructor(options: MailOutOptions) {
    const { store, holder } = options;
    const { database } = store;
    this.#note = together(async (userId, lists) => {
      await persistently(() => noteSent(database, userId, lists.flat(), holder.name), options);
      return [];
    });
    this.#putOff = together(async (userId, lists) => {
      await putOffDeliveries(database, userId, lists.flat(), holder.name);
      return [];
    });
    this.#settle = together((userId, settled) => recordSettled(userId, settled, options), {
      afterMs: recordAfterMs,
      maxItems: maxRecorded,
    });
    this.#settleHint = together(
      async (_, hints) => {
        await settleHints(database, hints);
        return [];
      },
      { afterMs: hintsAfterMs },
    );
  }

  /** Other servers have accepted these. */
  note(userId: number, notes: readonly Note[]): Promise<void> {
    return this.#note(userId, notes);
  }

  /** Nobody has tried these: they come back later. */
  putOff(userId: number, rows: readonly PutOff[]): Promise<void> {
    return this.#putOff(userId, rows);
  }

  /** Resolves when it is committed: false if the lease was lost. */
  async settle(userId: number, settled: Settled): Promise<boolean> {
    const result = await this.#settle(userId, settled);
    if (result instanceof Error) throw result;
    return result;
  }

  /** Nothing works on the submission any more. */
  settleHint(hint: SettledHint): Promise<void> {
    return this.#settleHint("all", hint);
  }
}
