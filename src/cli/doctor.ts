import { examine } from "../store/upkeep/doctor.ts";
import type { Context } from "./command.ts";
import { withProgress } from "./progress.ts";
import { say } from "./prompt.ts";

export async function doctor({ store, objects, log }: Context): Promise<void> {
  const {
    findings,
    objects: tally,
    oldTerms,
  } = await withProgress((progress) => examine({ store, objects, log, progress }));
  for (const { accountId, problem } of findings) say(accountId ? `account ${accountId}: ${problem}` : problem);
  say(`Bodies: ${tally.held} held, ${tally.pending} pending.`);
  if (oldTerms > 0) say(`Search: an older version indexed ${oldTerms} messages (see: posthorn reindex).`);
  const { length } = findings;
  say(length === 0 ? "All is well." : `${length} difference${length === 1 ? "" : "s"}.`);
  if (length > 0) process.exitCode = 1;
}
