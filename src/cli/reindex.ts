import { loginOf } from "../admin/names.ts";
import { systemClock } from "../base/clock.ts";
import { type Reindexing, reindexAccount } from "../mail/deliver/reindex.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import { accountIds } from "../store/upkeep/accounts.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

export async function reindex(context: Context, ...addresses: string[]): Promise<void> {
  const { store, objects, log, options } = context;
  if ((options.all === true) === addresses.length > 0) throw new Failure("name accounts, or pass --all");
  const accounts: number[] = [];
  for (const address of addresses) accounts.push((await loginOf({ store }, address)).userId);
  if (options.all) accounts.push(...(await accountIds(store.database)));
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  const total: Reindexing = { done: 0, missing: 0, failed: 0 };
  await withProgress(async (progress) => {
    for (const [index, accountId] of accounts.entries()) {
      const place = `account ${index + 1} of ${accounts.length}`;
      const { done, missing, failed } = await reindexAccount({ store, blobs, log }, accountId, (at, of) =>
        progress(`${place}: message ${at + 1} of ${of}`),
      );
      total.done += done;
      total.missing += missing;
      total.failed += failed;
    }
  });
  const words = [`Reindexed ${total.done} messages.`];
  if (total.missing > 0)
    words.push(`Left ${total.missing} messages unchanged, because their body is missing (see: posthorn doctor).`);
  if (total.failed > 0)
    words.push(`Left ${total.failed} messages unchanged, because indexing them failed (see the log).`);
  answer(context, total, words.join("\n"));
  if (total.missing + total.failed > 0) process.exitCode = 1;
}
