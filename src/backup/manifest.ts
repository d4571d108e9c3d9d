import type { Amount } from "../store/blobs/objects/move.ts";

/** What one backup holds. It is written last: a backup without it was not finished. */
export interface Manifest {
  /** When it began, with hyphens for colons; in order of time. Its files lie below `backups/<id>/`. */
  id: string;
  /** `full`: the files of the database, and its log. `log`: the log since the backup before. `bodies`: bodies alone. */
  kind: "full" | "log" | "bodies";
  /** The newest moment to which it leads, by the database's clock. */
  until: string;
  /** Version of Posthorn. */
  version: string;
  /** The backup whose log this one goes on with; null if there is a gap before it. */
  follows: string | null;
  /** Undefined if only bodies were backed up. */
  database?: DatabasePart;
  /** Of a database that is backed up by other means: the name that was given to the moment; null if it could not be. */
  restorePoint?: string | null;
  /** The days whose bodies are listed in `days/<day>`. */
  days: string[];
  /** What this backup added. */
  added: Amount;
}

export interface DatabasePart {
  /** Tells one database from another, and a restored one from what it was. */
  system: string;
  timeline: string;
  /** How many files `base/<n>` there are; 0 unless it is full. */
  pieces: number;
  /** `backup_label` of a full one. */
  label: string;
  /** Names of the segments of the log in `wal/`, in order. */
  segments: string[];
}

export const filesOf = ({ id }: Pick<Manifest, "id">): string => `backups/${id}/`;
export const pieceName = (manifest: Pick<Manifest, "id">, n: number): string =>
  `${filesOf(manifest)}base/${String(n).padStart(6, "0")}`;
export const segmentName = (manifest: Pick<Manifest, "id">, segment: string): string =>
  `${filesOf(manifest)}wal/${segment}`;
export const dayName = (manifest: Pick<Manifest, "id">, day: string): string => `${filesOf(manifest)}days/${day}`;
export const manifestName = (manifest: Pick<Manifest, "id">): string => `${filesOf(manifest)}manifest`;
