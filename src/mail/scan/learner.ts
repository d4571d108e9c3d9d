import type { Log } from "../../base/log.ts";
import { summarise } from "../../mime/summary.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import { blobOf, fetchEmails } from "../../store/mail/email-fetch.ts";
import { ageTokens, noteTaught, teachTokens } from "../../store/mail/spam-tokens.ts";
import type { Rspamd } from "./rspamd.ts";
import { readTraits } from "./traits.ts";

export interface LearnerOptions {
  store: Store;
  blobs: Blobs;
  log: Log;
  /** Learns too, if there is one. */
  rspamd: Rspamd | undefined;
}

/** More waiting signals than these are dropped: a lost lesson is no lost mail. */
const maxWaiting = 2_000;
/** Larger messages teach by their first octets. */
const maxTaughtBytes = 1_000_000;

/** Learns from what users say of their mail, after their changes are committed, one account after the other. */
export class Learner {
  readonly #options: LearnerOptions;
  readonly #waiting = new Map<number, Map<number, boolean>>();
  #count = 0;
  #working: Promise<void> | undefined;

  constructor(options: LearnerOptions) {
    this.#options = options;
  }

  /** `said`: email id → whether its user says that it is spam. */
  noticed(accountId: number, said: ReadonlyMap<number, boolean>): void {
    if (this.#count + said.size > maxWaiting) {
      this.#options.log.warn(
        { account: accountId, emails: said.size },
        "too many lessons at once: some were not learned",
      );
      return;
    }
    this.#count += said.size;
    const known = this.#waiting.get(accountId) ?? new Map<number, boolean>();
    for (const [id, isSpam] of said) known.set(id, isSpam);
    this.#waiting.set(accountId, known);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when all that was noticed is learned. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // Other work of this tick first: it belongs to requests that somebody waits for.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const [next] = this.#waiting;
      if (!next) return;
      const [accountId, said] = next;
      this.#waiting.delete(accountId);
      this.#count = Math.max(0, this.#count - said.size);
      await this.learn(accountId, said).catch((error: unknown) => {
        if (error instanceof AccountMissing) return;
        this.#options.log.warn({ account: accountId, reason: (error as Error).message }, "mail was not learned");
      });
    }
  }

  /** Returns how many mails taught something new. */
  async learn(accountId: number, said: ReadonlyMap<number, boolean>): Promise<number> {
    const { store, blobs } = this.#options;
    const emails = await fetchEmails(store.reader(accountId, "server"), [...said.keys()], "blob");
    const messages = new Map<number, Buffer>();
    for (const email of emails) messages.set(email.id, await blobs.readObject(blobOf(email)));
    const tokens = new Map([...messages].map(([id, message]) => [id, tokensOfMessage(message)]));
    const known = new Map([...said].filter(([id]) => tokens.has(id)));
    if (known.size === 0) return 0;
    const changed = await store.write(accountId, "server", async (tx) => {
      const before = await noteTaught(tx, known);
      for (const { id, before: other } of before) teach(tx, tokens.get(id)!, { isSpam: known.get(id)!, before: other });
      if (before.length > 0) await ageTokens(tx);
      return before;
    });
    for (const { id } of changed) await this.#teachFilter(messages.get(id)!, known.get(id)!);
    return changed.length;
  }

  /** Learns from a message that is in no mailbox. */
  async learnMessage(accountId: number, message: Buffer, isSpam: boolean): Promise<void> {
    const tokens = tokensOfMessage(message);
    await this.#options.store.write(accountId, "server", async (tx) => {
      teach(tx, tokens, { isSpam, before: null });
      await ageTokens(tx);
    });
    await this.#teachFilter(message, isSpam);
  }

  async #teachFilter(message: Buffer, isSpam: boolean): Promise<void> {
    const { rspamd, log } = this.#options;
    await rspamd
      ?.learn(message, isSpam)
      .catch((error: Error) => log.warn({ reason: error.message }, "rspamd did not learn from a mail"));
  }
}

function tokensOfMessage(message: Buffer): number[] {
  const head = message.subarray(0, maxTaughtBytes);
  return readTraits(head, summarise(head)).tokens;
}

/** What was said before is taken back in the same statement. */
function teach(
  tx: Tx,
  tokens: readonly number[],
  { isSpam, before }: { isSpam: boolean; before: boolean | null },
): void {
  const back = before === null ? 0 : -1;
  teachTokens(tx, tokens, isSpam ? { ham: back, spam: 1 } : { ham: 1, spam: back });
}
