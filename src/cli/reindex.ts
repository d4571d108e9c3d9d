import type { Command } from "commander";
import { loginOf } from "../admin/names.ts";
import { systemClock } from "../base/clock.ts";
import { type Reindexing, reindexAccount } from "../mail/deliver/reindex.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import { accountIds } from "../store/upkeep/accounts.ts";
import { type Context, examples, onStore, random } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { say } from "./prompt.ts";

export function addReindexCommand(program: Command): void {
  onStore(
    program
      .command("reindex")
      .description(
        "make the search terms of old mail anew, where a newer version makes others; beside a running server, and again after an interruption",
      )
      .argument("[accounts...]", "their main addresses")
      .option("--all", "all accounts")
      .addHelpText("after", examples("reindex --all", "reindex ann@example.org")),
    reindex,
  );
}

async function reindex({ store, objects, log, options }: Context, ...addresses: string[]): Promise<void> {
  if ((options.all === true) === addresses.length > 0) throw new Failure("name accounts, or give --all");
  const accounts: number[] = [];
  for (const address of addresses) accounts.push((await loginOf({ store }, address)).userId);
  if (options.all) accounts.push(...(await accountIds(store.database)));
  const blobs = new Blobs({ objects, clock: systemClock, random, cacheBytes: 0 });
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
  say(`${total.done} messages indexed anew.`);
  if (total.missing > 0) say(`${total.missing} messages have no body (see: posthorn doctor) and stay as they were.`);
  if (total.failed > 0) say(`${total.failed} messages could not be indexed (see the log) and stay as they were.`);
  if (total.missing + total.failed > 0) process.exitCode = 1;
}
