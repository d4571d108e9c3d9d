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
/** Larger messages teach by their first octets, which is all that is read of them. */
const maxTaughtBytes = 1_000_000;
/** So many mails are in memory and learned in one transaction. */
const maxTogether = 16;

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
    const known = this.#waiting.get(accountId) ?? new Map<number, boolean>();
    this.#count -= known.size;
    for (const [id, isSpam] of said) known.set(id, isSpam);
    this.#count += known.size;
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
      const some = new Map([...said].slice(0, maxTogether));
      for (const id of some.keys()) said.delete(id);
      this.#count -= some.size;
      // The rest waits behind the other accounts.
      this.#waiting.delete(accountId);
      if (said.size > 0) this.#waiting.set(accountId, said);
      await this.#learn(accountId, some).catch((error: unknown) => {
        if (error instanceof AccountMissing) return;
        this.#options.log.warn({ account: accountId, reason: (error as Error).message }, "mail was not learned");
      });
    }
  }

  async #learn(accountId: number, said: ReadonlyMap<number, boolean>): Promise<void> {
    const { store, blobs } = this.#options;
    const emails = await fetchEmails(store.reader(accountId, "server"), [...said.keys()], "blob");
    const heads = new Map<number, Buffer>();
    for (const email of emails) {
      const blob = blobOf(email);
      heads.set(email.id, await blobs.readObject(blob, 0, Math.min(blob.size, maxTaughtBytes)));
    }
    const tokens = new Map([...heads].map(([id, head]) => [id, tokensOf(head)]));
    const known = new Map([...said].filter(([id]) => tokens.has(id)));
    if (known.size === 0) return;
    const changed = await store.write(accountId, "server", async (tx) => {
      const before = await noteTaught(tx, known);
      for (const { id, before: other } of before) teach(tx, tokens.get(id)!, { isSpam: known.get(id)!, before: other });
      if (before.length > 0) await ageTokens(tx);
      return before;
    });
    for (const { id } of changed) await this.#teachFilter(heads.get(id)!, known.get(id)!);
  }

  /** Learns from a message that is in no mailbox. */
  async learnMessage(accountId: number, message: Buffer, isSpam: boolean): Promise<void> {
    const head = message.subarray(0, maxTaughtBytes);
    const tokens = tokensOf(head);
    await this.#options.store.write(accountId, "server", async (tx) => {
      teach(tx, tokens, { isSpam, before: null });
      await ageTokens(tx);
    });
    await this.#teachFilter(head, isSpam);
  }

  async #teachFilter(message: Buffer, isSpam: boolean): Promise<void> {
    const { rspamd, log } = this.#options;
    await rspamd
      ?.learn(message, isSpam)
      .catch((error: Error) => log.warn({ reason: error.message }, "rspamd did not learn from a mail"));
  }
}

/** Of the head of a message. */
function tokensOf(head: Buffer): number[] {
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
