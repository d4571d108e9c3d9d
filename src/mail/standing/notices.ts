import type { Clock, Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { HoldReason, Sending } from "../../store/core/db.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import type { SenderHeld, Store, Tx } from "../../store/core/store.ts";
import { mainAddress } from "../../store/directory/logins.ts";
import { knownSenders } from "../../store/queues/held-senders.ts";
import { withTerms, writeMails } from "../deliver/ingest.ts";
import { prepare } from "../deliver/preparer.ts";
import { mailDate } from "../submit/mail-date.ts";

export interface NoticesOptions {
  store: Store;
  blobs: Blobs;
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
  hostname: string;
}

const maxSwept = 1_000;

/** Tells whoever's mail is held why, by a message in the inbox, and the operator by the log and the metrics. */
export class HoldNotices {
  readonly #options: NoticesOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Call it after the commit. What is lost by a crash, `sweep` makes good. */
  noticed({ accountId, hold }: SenderHeld): void {
    const { events, log } = this.#options;
    events.senderHeld({ reason: hold.reason });
    log.warn({ account: accountId, reason: hold.reason, why: hold.text }, "a user's mail is held");
    const work = this.#tell(accountId, hold)
      .catch((error: unknown) => log.warn({ account: accountId, err: error }, "a user is not told yet of held mail"))
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Tells those who were not told yet. */
  async sweep(): Promise<void> {
    const { store, log } = this.#options;
    for (const { userId, sending } of await knownSenders(store.database, log, maxSwept)) {
      if (sending?.hold?.isTold === false) await this.#tell(userId, sending.hold);
    }
  }

  /** Resolves when no message is on its way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #tell(accountId: number, hold: NonNullable<Sending["hold"]>): Promise<void> {
    const { store, blobs, clock } = this.#options;
    const to = await mainAddress(store.database, accountId);
    if (to === undefined) return;
    const message = this.#message(to, hold);
    const [blob, prepared] = await Promise.all([blobs.put(message), prepare(message)]);
    const mails = withTerms(accountId, [
      { blob, prepared, target: { role: "inbox" }, keywords: [], receivedAt: clock.now() },
    ]);
    const write = async (tx: Tx) => {
      const { sending } = tx;
      if (sending.hold?.isTold !== false) return;
      await writeMails(tx, mails);
      tx.changeSending({ ...sending, hold: { ...sending.hold, isTold: true } });
    };
    await store.write(accountId, "server", write, { ids: 2 }).catch((error: unknown) => {
      if (!(error instanceof AccountMissing)) throw error;
    });
  }

  #message(to: string, { reason, text }: NonNullable<Sending["hold"]>): Buffer {
    const { hostname, random, clock } = this.#options;
    const fields = [
      "Return-Path: <>",
      `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
      `To: <${to}>`,
      "Subject: Your mail is held",
      `Date: ${mailDate(clock.now())}`,
      `Message-ID: <${random(16).toString("hex")}@${hostname}>`,
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
    ];
    const body = [
      "Mail that you send is held for now. Nothing is lost: it waits in the queue, and so does what",
      "you send from now on. You can still cancel it, and you get mail as before.",
      "",
      `Why: ${text}.`,
      "",
      ...advice[reason],
      "",
      `Then ask your postmaster (postmaster@${hostname}) to let your mail go.`,
    ];
    return Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body.join("\r\n")}\r\n`);
  }
}

const advice: Record<HoldReason, readonly string[]> = {
  bounces: [
    "What to do: remove the addresses that do not exist from your lists. Write only to people who gave",
    "you their address themselves, and have new ones confirm it.",
  ],
  complaints: [
    "What to do: write only to people who asked for it, let them leave with one click, and honour it",
    "at once. Cancel what waits for those who did not ask.",
  ],
  spam: [
    "What to do: look at what you sent lately. If you did not write it, change your password and revoke",
    "app passwords and tokens. If you did, cancel what is unwanted.",
  ],
  takeover: [
    "What to do: if you did not send this, change your password now, revoke app passwords and tokens,",
    "and cancel the mails that wait. If you did, there is nothing to change.",
  ],
  operator: ["What to do: your postmaster has decided this, and can tell you more."],
};
