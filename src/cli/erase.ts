import { eraseAccount, type Left, previewErasure } from "../admin/erase.ts";
import { silentEvents } from "../base/events.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { answer, confirm, table } from "./prompt.ts";
import { openSharedCache } from "./redis.ts";

/** What no command reaches. */
const elsewhere = [
  "Backups hold it until you delete them; so may the service's log, and files of the database until their space is used again (VACUUM FULL).",
  "What it wrote to others is theirs.",
].join("\n");

export async function erase(context: Context, text: string): Promise<void> {
  const { admin, config, objects, options, log } = context;
  const preview = await previewErasure(admin, text);
  const what = `${preview.emails} emails, ${preview.submissions} sent messages and all that names ${preview.addresses.join(", ")}`;
  if (options.dryRun) return answer(context, preview, `This would erase ${what}. It can't be had back.`);
  if (!options.yes && !(await confirm(`Erase ${what}? It can't be had back.`))) throw new Failure("nothing was erased");
  const cache = await openSharedCache(config, { log, events: silentEvents });
  try {
    const { left, ...erased } = await withProgress((tell) =>
      eraseAccount(admin, { objects, cache, log, tell }, { text, prove: options.prove === true }),
    );
    const words = [
      `Erased the account ${erased.login}, number ${erased.userId}: ${what}.`,
      ...(erased.until
        ? [`${erased.waiting} bodies of the last days go with the sweeps by ${dayOf(erased.until)}.`]
        : []),
      ...(erased.isCacheClean === false ? ["Redis did not answer: it forgets bodies 16 days after their day."] : []),
      ...(left ? [tellLeft(left), elsewhere] : []),
    ];
    answer(context, { ...erased, left }, words.join("\n"));
    if (left?.some(({ why }) => why === null)) process.exitCode = 1;
  } finally {
    cache?.close();
  }
}

const dayOf = (date: Date) => date.toISOString().slice(0, 10);

function tellLeft(left: readonly Left[]): string {
  if (left.length === 0) return "Nothing that names it was found in the database, among the bodies or in Redis.";
  const rows = left.map(({ where, count, why }) => [where, String(count), why ?? "NOT EXPLAINED"]);
  return table([["LEFT IN", "COUNT", "WHY"], ...rows]);
}
