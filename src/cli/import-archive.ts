import { resolve } from "node:path";
import { openArchive } from "../admin/export/open-archive.ts";
import { verifyArchive } from "../admin/export/verify.ts";
import { type ArchiveImport, importArchive } from "../admin/import/archive/restore.ts";
import type { LeftOut } from "../admin/import/archive/settings.ts";
import { systemClock } from "../base/clock.ts";
import { Ingest } from "../mail/deliver/ingest.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Context } from "./command.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

export async function importFrom(context: Context, account: string, source = ""): Promise<void> {
  const { options, admin, objects, store } = context;
  const archive = await openArchive(resolve(source));
  try {
    if (options.dryRun) {
      const found = await withProgress((tell) => verifyArchive(archive, tell));
      const { address } = archive.manifest.account;
      const words = [`Would import ${found.objects.Email} emails of ${address}.`, ...found.problems];
      return answer(context, { account: address, ...found }, words.join("\n"));
    }
    const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
    const means = { blobs, ingest: new Ingest(store) };
    const result = await withProgress((tell) => importArchive(admin, account, archive, { ...means, tell }));
    answer(context, result, words(result));
    if (result.unreadable.length > 0) process.exitCode = 1;
  } finally {
    await archive.close();
  }
}

const reasons: Record<LeftOut["reason"], string> = {
  "waits-to-be-sent": "it still waits there to be sent, and would be sent twice",
  "no-message": "the archive has no intact message for it",
  "address-taken": "its address is another account's here",
  "domain-not-served": "its domain is not served here",
};

export function words({ login, emails, submissions, unreadable, leftOut }: ArchiveImport): string {
  const present = emails.present > 0 ? `, ${emails.present} were there` : "";
  return [
    `Added ${emails.added} emails to ${login}${present}; ${submissions.added} records of sent mail.`,
    ...unreadable.map(({ id, sha256 }) => `The email ${id} was left out: its message ${sha256} is missing or damaged.`),
    ...leftOut.map(({ type, id, reason }) => `The ${type} ${id} was left out: ${reasons[reason]}.`),
  ].join("\n");
}
