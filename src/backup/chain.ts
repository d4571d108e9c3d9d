import { BackupError } from "./backup-error.ts";
import type { Manifest } from "./manifest.ts";

/** What leads to a moment: a full backup, and those whose log goes on from it. */
export interface Chain {
  full: Manifest;
  /** All whose log is needed, the full one first. */
  logs: Manifest[];
  /** Where the log is cut off; undefined for all of it. */
  to: Date | undefined;
}

/** The backups that lead to the moment, or to the newest one. Throws BackupError if there are none. */
export function chainTo(backups: readonly Manifest[], to: Date | undefined): Chain {
  const all = backups.filter(({ database }) => database);
  const last = all.at(-1);
  if (!last) throw new BackupError("there is no backup of the database here");
  const at = all.findIndex(({ until }) => to !== undefined && Date.parse(until) >= to.getTime());
  if (to !== undefined && at < 0)
    throw new BackupError(`the backups end before ${to.toISOString()}: the newest is of ${last.until}`);
  const end = to === undefined ? all.length - 1 : at;
  const isWhole = to === undefined || Date.parse(all[end]!.until) === to.getTime();
  for (let begin = end; begin >= 0; begin--) {
    const one = all[begin]!;
    const isEarly = begin < end || isWhole;
    if (one.kind === "full" && isEarly)
      return { full: one, logs: all.slice(begin, end + 1), to: isWhole ? undefined : to };
    if (one.follows !== all[begin - 1]?.id) break;
  }
  throw new BackupError(noWay(all, to));
}

function noWay(all: readonly Manifest[], to: Date | undefined): string {
  if (to === undefined) return "the newest backup has no full one before it";
  const before = all.findLast(({ until }) => Date.parse(until) < to.getTime());
  const after = all.find(({ until }) => Date.parse(until) >= to.getTime());
  const near = [before, after].flatMap((one) => (one ? [one.until] : []));
  return `no backup leads to ${to.toISOString()}; the nearest moments are ${near.join(" and ")}`;
}

/** The backups from a full one on that the newest moment of this one needs. */
export function chainOf(backups: readonly Manifest[], id: string): Manifest[] {
  const one = backups.find((backup) => backup.id === id);
  if (!one?.database) return one ? [one] : [];
  return chainTo(backups.slice(0, backups.indexOf(one) + 1), undefined).logs;
}
