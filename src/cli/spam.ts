import { readFile } from "node:fs/promises";
import { forgetSpam, learnSpam, spamStats } from "../admin/spam.ts";
import { systemClock } from "../base/clock.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import { maxTokens } from "../store/mail/spam-tokens.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { answer } from "./prompt.ts";
import { scannersOf } from "./scanners.ts";

export async function learn(context: Context, address: string, kind = "", ...files: string[]): Promise<void> {
  const { admin, config, log, objects } = context;
  if (kind !== "spam" && kind !== "ham") throw new Failure(`"${kind}" is not spam or ham`);
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  const { rspamd } = scannersOf(config, log);
  const count = await learnSpam(admin, address, {
    messages: read(files),
    isSpam: kind === "spam",
    blobs,
    rspamd,
  });
  answer(context, { messages: count }, `Learned from ${count} messages.`);
}

async function* read(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) yield await readFile(file);
}

export async function stats(context: Context, address: string): Promise<void> {
  const found = await spamStats(context.admin, address);
  const { login, ham, spam, tokens, standing } = found;
  const words = [
    `${login} has taught ${spam} spam and ${ham} wanted mails; ${tokens} words of at most ${maxTokens} are kept.`,
    `Of ${standing.sent} mails that it sent in the last 30 days, ${standing.spam} looked like spam.`,
  ];
  answer(context, found, words.join("\n"));
}

export async function forget(context: Context, address: string): Promise<void> {
  const login = await forgetSpam(context.admin, address);
  answer(context, { login }, `The filter of ${login} has forgotten what it was taught.`);
}
