import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { recordBefore } from "../admin/admin.ts";
import { previewBackup, takeBackup } from "../backup/backup.ts";
import { chainOf } from "../backup/chain.ts";
import { makeKeyFile } from "../backup/key.ts";
import type { Manifest } from "../backup/manifest.ts";
import { pruneBackups } from "../backup/prune.ts";
import type { Repository } from "../backup/repository.ts";
import { type Verified, verifyBackups } from "../backup/verify.ts";
import { showSize } from "../config/values.ts";
import type { Amount } from "../store/blobs/objects/move.ts";
import { explained, type Given, givenTo, openRepository } from "./backup-place.ts";
import { withStore } from "./database.ts";
import { Failure } from "./fail.ts";
import { operator } from "./operator.ts";
import { withProgress } from "./progress.ts";
import { answer, table } from "./prompt.ts";

const dayMs = 24 * 3600_000;
/** How many faults are shown. */
const maxShown = 20;

export async function backup(command: Command): Promise<void> {
  const given = givenTo(command);
  const { options } = given;
  if (options.newKey !== undefined) return newKey(given);
  if (options.to === undefined || options.key === undefined) {
    throw new Failure(
      "name where the backup goes with --to, and the file of its key with --key (to make one: --new-key FILE)",
    );
  }
  await explained(() => take(given));
}

async function newKey(given: Given): Promise<void> {
  const file = String(given.options.newKey);
  const { id } = await explained(async () => makeKeyFile(file, randomBytes));
  answer(
    given,
    { file, key: id },
    `Made the key ${id} in ${file}. Keep a copy elsewhere: without it no backup can be read.`,
  );
}

async function take(given: Given): Promise<void> {
  const { config, log, options } = given;
  const isEmbedded = config.databaseUrl === "";
  if (!isEmbedded && !options.onlyBodies) {
    throw new Failure(
      "the database of --database-url is not in this backup: back it up with its own tools, and the message bodies with --only-bodies (docs/backup.md)",
    );
  }
  if (isEmbedded && options.onlyBodies)
    throw new Failure("--only-bodies is for a database of --database-url; leave it out");
  const repository = await openRepository(given, options.to, { begins: options.dryRun !== true });
  await withStore({ config, log, begins: false, migrates: false }, async ({ store, objects, bus }) => {
    const admin = { store, bus, random: randomBytes, log, who: operator() };
    const dataFolder = isEmbedded ? config.data : undefined;
    const work = { repository, store, objects, dataFolder, isFull: options.full === true };
    if (options.dryRun) return preview(given, work);
    await recordBefore(admin, { act: "backup.take", place: repository.place.name });
    const taken = await withProgress((tell) => takeBackup({ ...work, tell }));
    const { manifest, damaged } = taken;
    const verified = options.verify ? await verifyOne(repository, manifest) : undefined;
    const words = [
      `${nameOf(manifest.kind)} of ${manifest.until} is in ${repository.place.name}; ${shown(manifest.added)} new.`,
      ...(manifest.restorePoint === null
        ? ["The database's role may not name a restore point: restore the database to that time."]
        : []),
      ...(manifest.restorePoint ? [`The database's restore point of that moment is ${manifest.restorePoint}.`] : []),
      ...listed(damaged.map((one) => `not backed up, since it does not match its hash: ${one}`)),
      ...(verified ? verifiedWords(verified) : []),
    ];
    answer(given, { ...manifest, damaged, ...(verified && { verified }) }, words.join("\n"));
    if (damaged.length > 0 || (verified?.faults.length ?? 0) > 0) process.exitCode = 1;
  });
}

async function preview(given: Given, work: Omit<Parameters<typeof previewBackup>[0], "tell">): Promise<void> {
  const found = await withProgress((tell) => previewBackup({ ...work, tell }));
  answer(given, found, `Would make: ${nameOf(found.kind).toLowerCase()}, with ${shown(found.added)} new.`);
}

async function verifyOne(repository: Repository, { id }: Manifest): Promise<Verified> {
  const needed = chainOf(await repository.backups(), id);
  return withProgress((tell) => verifyBackups(repository, needed, tell));
}

export async function list(command: Command): Promise<void> {
  const given = givenTo(command);
  const repository = await explained(() => openRepository(given, given.options.from));
  const backups = await explained(() => repository.backups());
  const rows = backups.map(({ id, kind, until, added }) => [id, kind, until, shown(added)]);
  answer(
    given,
    backups,
    rows.length === 0 ? "There are no backups here." : table([["ID", "KIND", "UNTIL", "NEW"], ...rows]),
  );
}

export async function verify(command: Command): Promise<void> {
  const given = givenTo(command);
  await explained(async () => {
    const repository = await openRepository(given, given.options.from);
    const backups = await repository.backups();
    const verified = await withProgress((tell) => verifyBackups(repository, backups, tell));
    answer(given, verified, verifiedWords(verified).join("\n"));
    if (verified.faults.length > 0) process.exitCode = 1;
  });
}

export async function prune(command: Command): Promise<void> {
  const given = givenTo(command);
  const { config, log, options } = given;
  const isDryRun = options.dryRun === true;
  await explained(async () => {
    const repository = await openRepository(given, options.from);
    await withStore({ config, log, begins: false, migrates: false }, async ({ store, bus }) => {
      const admin = { store, bus, random: randomBytes, log, who: operator() };
      const since = new Date(store.clock.now().getTime() - Number(options.keepDays) * dayMs);
      if (!isDryRun) await recordBefore(admin, { act: "backup.prune", place: repository.place.name });
      const pruned = await withProgress((tell) => pruneBackups({ repository, since, isDryRun, tell }));
      const words = `${isDryRun ? "Would remove" : "Removed"} ${pruned.backups.length} backups and ${pruned.bodies} files of bodies.`;
      answer(given, pruned, words);
    });
  });
}

const nameOf = (kind: Manifest["kind"]): string =>
  ({ full: "A full backup", log: "A backup of what is new", bodies: "A backup of the bodies" })[kind];

function verifiedWords({ files, faults }: Verified): string[] {
  return [
    faults.length === 0
      ? `All ${files} files are as they were written.`
      : `${faults.length} files are not as they were written:`,
    ...listed(faults),
  ];
}

export function listed(lines: readonly string[]): string[] {
  const more = lines.length - maxShown;
  return [...lines.slice(0, maxShown).map((line) => `  ${line}`), ...(more > 0 ? [`  and ${more} more`] : [])];
}

export function shown({ objects, bytes }: Amount): string {
  return `${objects} ${objects === 1 ? "body" : "bodies"} (${showSize(bytes)})`;
}
