import { examine } from "../store/upkeep/doctor.ts";
import type { Context } from "./command.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

export async function doctor(context: Context): Promise<void> {
  const { store, objects, log } = context;
  const found = await withProgress((progress) => examine({ store, objects, log, progress }));
  const { findings, objects: tally, oldTerms } = found;
  const { length } = findings;
  const words = [
    ...findings.map(({ accountId, problem }) => (accountId ? `account ${accountId}: ${problem}` : problem)),
    `Bodies: ${tally.held} held, ${tally.pending} pending.`,
    ...(oldTerms > 0 ? [`Search: an older version indexed ${oldTerms} messages (see: posthorn reindex).`] : []),
    length === 0 ? "All is well." : `${length} difference${length === 1 ? "" : "s"}.`,
  ];
  answer(context, found, words.join("\n"));
  if (length > 0) process.exitCode = 1;
}
