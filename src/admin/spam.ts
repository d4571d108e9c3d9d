import { Learner } from "../mail/scan/learner.ts";
import type { Rspamd } from "../mail/scan/rspamd.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import { countTokens, forgetTokens, mailsToken, noteUntaught, tokenCounts } from "../store/mail/spam-tokens.ts";
import { sentForMs, sentSince } from "../store/queues/sent-hours.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { loginOf } from "./names.ts";

/** What an account was taught: mails of each kind, and the tokens that are kept of them. */
export interface Taught {
  login: string;
  ham: number;
  spam: number;
  tokens: number;
  /** What it sent in the last 30 days, and how much of that looked like spam; since its held mail was last let go. */
  standing: { sent: number; spam: number };
}

export async function spamStats(admin: Admin, text: string): Promise<Taught> {
  const { login, userId } = await loginOf(admin, text);
  const reader = admin.store.reader(userId, "server");
  const [mails] = await tokenCounts(reader, [mailsToken]);
  const since = new Date(admin.store.clock.now().getTime() - sentForMs);
  const { messages: sent, spam } = await sentSince(reader, since);
  return {
    login,
    standing: { sent, spam },
    ham: mails?.ham ?? 0,
    spam: mails?.spam ?? 0,
    tokens: Math.max(0, (await countTokens(reader)) - 1),
  };
}

/** Teaches the account's filter these messages, which are in no mailbox; the same message taught twice counts twice. */
export async function learnSpam(
  admin: Admin,
  text: string,
  {
    messages,
    isSpam,
    blobs,
    rspamd,
  }: { messages: AsyncIterable<Buffer>; isSpam: boolean; blobs: Blobs; rspamd: Rspamd | undefined },
): Promise<number> {
  const { userId } = await loginOf(admin, text);
  const learner = new Learner({ store: admin.store, blobs, log: admin.log, rspamd });
  let count = 0;
  for await (const message of messages) {
    await learner.learnMessage(userId, message, isSpam);
    count++;
  }
  await changeAccount(
    admin,
    { userId },
    { act: "spam.learn", mails: count, kind: isSpam ? "spam" : "ham" },
    async () => {},
  );
  return count;
}

/** Forgets all that the account's filter was taught. */
export async function forgetSpam(admin: Admin, text: string): Promise<string> {
  const { login, userId } = await loginOf(admin, text);
  await changeAccount(admin, { userId }, { act: "spam.forget" }, async (tx) => {
    await forgetTokens(tx);
    noteUntaught(tx);
  });
  return login;
}
