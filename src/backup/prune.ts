import { listedBodies } from "./bodies.ts";
import { filesOf, type Manifest, manifestName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

export interface Pruned {
  /** Ids of the backups that go. */
  backups: string[];
  /** How many files of bodies that no other backup lists. */
  bodies: number;
}

interface PruneOptions {
  repository: Repository;
  /** All moments since then stay within reach. */
  since: Date;
  isDryRun: boolean;
  tell: (text: string) => void;
}

/** Removes the backups that no moment since then needs, and then the bodies that none of the others lists. */
export function pruneBackups(options: PruneOptions): Promise<Pruned> {
  const { repository, isDryRun } = options;
  return isDryRun ? prune(options) : repository.locked(() => prune(options));
}

async function prune({ repository, since, isDryRun, tell }: PruneOptions): Promise<Pruned> {
  const { place } = repository;
  const all = await repository.backups();
  const first = all.findLastIndex(({ kind, until }) => kind !== "log" && Date.parse(until) <= since.getTime());
  const old = all.slice(0, Math.max(0, first));
  const kept = all.slice(Math.max(0, first));
  for (const backup of isDryRun ? [] : old) {
    tell(`removing backup ${backup.id}`);
    // First what makes it one, so that none stands there without its files.
    await place.remove(manifestName(backup));
    await place.settle();
    for await (const { name } of place.list(filesOf(backup))) await place.remove(name);
  }
  const pruned: Pruned = { backups: old.map(({ id }) => id), bodies: 0 };
  // Without a backup, the bodies are those of a first one that was killed.
  if (kept.length > 0) pruned.bodies = await pruneBodies({ repository, kept, isDryRun, tell });
  return pruned;
}

interface OfBodies extends Omit<PruneOptions, "since"> {
  kept: readonly Manifest[];
}

async function pruneBodies({ repository, kept, isDryRun, tell }: OfBodies): Promise<number> {
  let removed = 0;
  let [day, needed] = ["", new Set<string>()];
  // In order of their names, so a day's list is made once.
  for await (const { name } of repository.place.list("bodies/")) {
    const [, own = "", file = ""] = name.split("/");
    if (own !== day) [day, needed] = [own, await neededOf(repository, kept, own)];
    if (needed.has(file.split(".")[0]!)) continue;
    if (!isDryRun) await repository.place.remove(name);
    removed++;
    tell(`bodies of ${day}: ${removed} files removed in all`);
  }
  return removed;
}

async function neededOf(repository: Repository, kept: readonly Manifest[], day: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const backup of kept.filter(({ days }) => days.includes(day))) {
    for (const { name } of await listedBodies(repository, backup, day)) names.add(name);
  }
  return names;
}
