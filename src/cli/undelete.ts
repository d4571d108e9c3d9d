import { previewUndelete, removedAccountOf, undeleteAccount, undeleteEmails } from "../admin/undelete.ts";
import { systemClock } from "../base/clock.ts";
import { duration, showSize } from "../config/values.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

export async function undelete(context: Context): Promise<void> {
  const { admin, options, objects } = context;
  const text = options.account as string;
  const removed = await removedAccountOf(admin, text);
  if (removed) return undeleteWhole(context, text, removed.removedAt);
  const since = sinceOf(context);
  if (options.dryRun) {
    const { login, count, bytes } = await previewUndelete(admin, text, since);
    const words = `This would bring back ${count} emails (${showSize(bytes)}) of ${login}.`;
    return answer(context, { login, emails: count, bytes, since }, words);
  }
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  const done = await withProgress((tell) => undeleteEmails(admin, blobs, { text, since, tell }));
  const words = [
    `Brought back ${done.restored} emails of ${done.login}.`,
    ...(done.overQuota > 0
      ? [`${done.overQuota} have no room: raise the limit (posthorn account quota) and run this again.`]
      : []),
    ...(done.bodyMissing > 0 ? [`${done.bodyMissing} have lost their bodies: see posthorn doctor.`] : []),
  ];
  answer(context, { ...done, since }, words.join("\n"));
}

async function undeleteWhole(context: Context, text: string, removedAt: Date): Promise<void> {
  const { admin, options } = context;
  if (options.dryRun) {
    const words = `This would bring back the account ${text}, which was removed on ${removedAt.toISOString().slice(0, 10)}.`;
    return answer(context, { login: text, account: true, removedAt }, words);
  }
  const { login, taken } = await undeleteAccount(admin, text);
  const words = [
    `Brought back the account ${login}, with its password and its mail.`,
    ...(taken.length > 0 ? [`Others have these addresses of it by now: ${taken.join(", ")}`] : []),
  ];
  answer(context, { login, account: true, taken }, words.join("\n"));
}

/** What was destroyed before can't come back, so all of it by default. */
function sinceOf({ config, options }: Context): Date {
  const earliest = new Date(Date.now() - config.keepDeleted);
  const text = options.since as string | undefined;
  const since = text === undefined ? earliest : timeOf(text);
  return since < earliest ? earliest : since;
}

function timeOf(text: string): Date {
  const time = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time)) return new Date(time);
  try {
    return new Date(Date.now() - duration(text));
  } catch {
    throw new Failure(`"${text}" is neither a time such as 2026-03-01T12:00Z nor a duration such as 2h`);
  }
}
