import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Admin, recordBefore } from "../admin/admin.ts";
import { writeArchive } from "../admin/export/archive.ts";
import { ownerOf } from "../admin/export/export-account.ts";
import { openArchive } from "../admin/export/open-archive.ts";
import { FolderSink } from "../admin/export/sink.ts";
import { importArchive } from "../admin/import/archive/restore.ts";
import { loginOf } from "../admin/names.ts";
import { type InstallationCopy, openCopy, removeCopy } from "../backup/account-copy.ts";
import { systemClock } from "../base/clock.ts";
import { version } from "../base/version.ts";
import { accountObjects } from "../jmap/account-objects.ts";
import { Ingest } from "../mail/deliver/ingest.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import { type Given, openRepository } from "./backup-place.ts";
import { withStore } from "./database.ts";
import { Failure } from "./fail.ts";
import { words } from "./import-archive.ts";
import { operator } from "./operator.ts";
import { withProgress } from "./progress.ts";
import { answer } from "./prompt.ts";

type Tell = (text: string) => void;

/** Takes an account out of a backup, and adds it to one of the installation that serves. */
export async function restoreAccount(given: Given): Promise<void> {
  const { config, log, options } = given;
  if (options.dryRun || options.skipDamaged)
    throw new Failure("--dry-run and --skip-damaged are for a whole installation");
  const repository = await openRepository(given, options.from);
  const folder = join(resolve(config.data), "restoring-account");
  const from = String(options.account);
  const into = String(options.into ?? from);
  await withStore({ config, log, begins: false, migrates: true }, async ({ store, objects, bus }) => {
    const admin = { store, bus, random: randomBytes, log, who: operator() };
    const { userId } = await loginOf(admin, into);
    const result = await withProgress(async (tell) => {
      const to = options.to as Date | undefined;
      const copy = await openCopy({ repository, folder, to, clock: systemClock, random: randomBytes, log, tell });
      const { moment } = copy;
      const archive = join(folder, "archive");
      const lacking = await writeOut(copy, { admin, from, archive, tell }).finally(() => copy.close());
      await recordBefore(admin, { act: "backup.restore-account", account: userId, moment });
      const added = await readIn(archive, { admin, into, blobs: blobsOn(objects), tell });
      return { moment, lacking, ...added };
    });
    await removeCopy(folder);
    const { moment, lacking } = result;
    const lines = [`As of ${moment}:`, words(result), ...(lacking > 0 ? [`${lacking} bodies are in no backup.`] : [])];
    answer(given, result, lines.join("\n"));
    if (lacking > 0 || result.unreadable.length > 0) process.exitCode = 1;
  });
}

const blobsOn = (objects: Blobs["objects"]): Blobs => new Blobs({ objects, clock: systemClock, cacheBytes: 0 });

interface Out {
  admin: Admin;
  from: string;
  archive: string;
  tell: Tell;
}

/** Writes an archive of the account as it was; returns how many of its bodies the backup lacks. */
async function writeOut({ store, objects, fetchBodies }: InstallationCopy, out: Out): Promise<number> {
  const owner = await ownerOf({ ...out.admin, store }, out.from);
  const lacking = await fetchBodies(owner.accountId);
  const means = {
    sink: new FolderSink(out.archive),
    workFolder: `${out.archive}.work`,
    program: `posthorn ${version}`,
  };
  // A run that was killed may have been for another account.
  await rm(out.archive, { recursive: true, force: true });
  await writeArchive({ store, blobs: blobsOn(objects), objects: accountObjects }, owner, { ...means, tell: out.tell });
  return lacking;
}

async function readIn(
  path: string,
  { admin, into, blobs, tell }: { admin: Admin; into: string; blobs: Blobs; tell: Tell },
) {
  const archive = await openArchive(path);
  try {
    return await importArchive(admin, into, archive, { blobs, ingest: new Ingest(admin.store), tell });
  } finally {
    await archive.close();
  }
}
