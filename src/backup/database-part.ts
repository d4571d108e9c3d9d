import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BackupSession, segmentAfter } from "../postgres/backup-session.ts";
import { baseFiles } from "../postgres/base-files.ts";
import { pieceBytes } from "./bodies.ts";
import { inPieces } from "./frames.ts";
import { type DatabasePart, type Manifest, pieceName, segmentName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

export interface DatabaseSaving {
  repository: Repository;
  /** The backup that is being made. */
  manifest: Pick<Manifest, "id">;
  dataFolder: string;
  /** The newest backup with a part of the database. */
  earlier: Manifest | undefined;
  wantsFull: boolean;
  tell: (text: string) => void;
}

export interface SavedDatabase {
  part: DatabasePart;
  /** The moment to which the log leads. */
  until: Date;
  /** Whether the log goes on where the earlier backup's ended. */
  isContinuous: boolean;
  /** The server may forget the log of this backup. Call it when that is durable. */
  done(): Promise<void>;
}

/** One slot for each repository, so that each has the whole log. */
const slotOf = ({ id }: Repository): string => `posthorn_backup_${id}`;

/** Whether the server still has all of the log since that backup. */
export function canGoOn(dataFolder: string, repository: Repository, earlier: Manifest | undefined): Promise<boolean> {
  return onSession(dataFolder, (session) => goesOn(session, repository, earlier));
}

async function goesOn(session: BackupSession, repository: Repository, earlier: Manifest | undefined): Promise<boolean> {
  if (!earlier?.database || !(await session.keepsLog(slotOf(repository)))) return false;
  const { system, timeline } = await session.identity();
  return earlier.database.system === system && earlier.database.timeline === timeline;
}

/** Backs up the log since the backup before; and the files, if that is wanted or the log has a gap. */
export function saveDatabase(saving: DatabaseSaving): Promise<SavedDatabase> {
  const { repository, dataFolder, earlier } = saving;
  return onSession(dataFolder, async (session) => {
    const identity = await session.identity();
    const isContinuous = await goesOn(session, repository, earlier);
    if (!isContinuous) await session.beginToKeepLog(slotOf(repository));
    const base = saving.wantsFull || !isContinuous ? await saveBase(session, saving) : undefined;
    const moment = await session.moment();
    const first = isContinuous ? segmentAfter(earlier!.database!.segments.at(-1)!) : base!.segment;
    const segments = await saveLog(session, saving, first, moment.segment);
    const part = { ...identity, pieces: base?.pieces ?? 0, label: base?.label ?? "", segments };
    const done = () => onSession(dataFolder, (later) => later.advance(slotOf(repository), moment));
    return { part, until: moment.at, isContinuous, done };
  });
}

async function onSession<T>(dataFolder: string, work: (session: BackupSession) => Promise<T>): Promise<T> {
  const session = await BackupSession.open(dataFolder);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function saveBase(session: BackupSession, { repository, manifest, dataFolder, tell }: DatabaseSaving) {
  tell("database: waiting for a checkpoint");
  const segment = await session.begin(`posthorn ${manifest.id}`);
  let pieces = 0;
  for await (const piece of inPieces(baseFiles(join(dataFolder, "pg")), pieceBytes)) {
    await repository.put(pieceName(manifest, pieces++), piece);
    tell(`database: ${Math.round((pieces * pieceBytes) / 2 ** 20)} MB`);
  }
  const label = await session.end();
  return { segment, pieces, label };
}

async function saveLog(
  session: BackupSession,
  { repository, manifest, tell }: DatabaseSaving,
  first: string,
  last: string,
): Promise<string[]> {
  const segments = await session.segments(first, last);
  for (const [at, { name, path }] of segments.entries()) {
    tell(`log of the database: ${at + 1} of ${segments.length} segments`);
    await repository.put(segmentName(manifest, name), await readFile(path));
  }
  return segments.map(({ name }) => name);
}
