import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type EmbeddedPostgres, startEmbedded } from "../postgres/embedded.ts";
import { endRecovery, prepareRecovery, removeDraft } from "../postgres/recovery.ts";
import { Database } from "../store/core/database.ts";
import { Store } from "../store/core/store.ts";
import type { Chain } from "./chain.ts";
import { unpack } from "./frames.ts";
import { pieceName, segmentName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

/** Recovery reads the log since the full backup. */
const maxRecoveryMs = 24 * 3600_000;
/** Says which moment the database of a draft is of, once it is. */
const doneFile = "recovered";

export interface RecoverOptions {
  repository: Repository;
  chain: Chain;
  /** The folder of the draft, which gets a data folder of its own. */
  folder: string;
  clock: Clock;
  log: Log;
  tell: (text: string) => void;
  /** Runs once when the database has come to the moment. It may run again after a kill. */
  settle: (store: Store) => Promise<void>;
}

export interface Recovered {
  store: Store;
  /** Ends the server; the files stay. */
  close(): Promise<void>;
}

/** A running database of the moment, in a folder. An earlier attempt for the same moment that came as far is used. */
export async function recoverDatabase(options: RecoverOptions): Promise<Recovered> {
  const { folder, settle } = options;
  const wanted = nameOf(options);
  const isDone = doneIn(folder) === wanted;
  if (!isDone) {
    await removeDraft(folder);
    await unpackDatabase(options);
  }
  options.tell("database: recovering");
  const server = await startEmbedded({ dataFolder: folder, log: options.log, isPassing: true, maxRecoveryMs });
  const opened = openOn(server, options);
  try {
    if (!isDone) {
      await settle(opened.store);
      endRecovery(folder);
      writeFileSync(join(folder, doneFile), wanted, { flush: true });
    }
  } catch (error) {
    await opened.close();
    throw error;
  }
  return opened;
}

const nameOf = ({ repository, chain: { logs, to } }: RecoverOptions): string =>
  [repository.id, logs.at(-1)!.id, to?.toISOString() ?? ""].join(" ");

function doneIn(folder: string): string | undefined {
  const path = join(folder, doneFile);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

async function unpackDatabase({ repository, chain: { full, logs, to }, folder, tell }: RecoverOptions): Promise<void> {
  const pg = join(folder, "pg");
  // Started as root, the server runs as another user, who must be able to enter this folder.
  mkdirSync(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  mkdirSync(pg, { mode: 0o700 });
  const { pieces, label } = full.database!;
  await unpack(piecesOf(), pg);
  for (const backup of logs) {
    for (const segment of backup.database!.segments) {
      tell(`log of the database: ${backup.until}`);
      await writeFile(join(pg, "pg_wal", segment), await repository.get(segmentName(backup, segment)), { mode: 0o600 });
    }
  }
  prepareRecovery(folder, { label, to });

  async function* piecesOf(): AsyncGenerator<Buffer> {
    for (let n = 0; n < pieces; n++) {
      tell(`database: piece ${n + 1} of ${pieces}`);
      yield await repository.get(pieceName(full, n));
    }
  }
}

function openOn(server: EmbeddedPostgres, { clock, log }: RecoverOptions): Recovered {
  const database = new Database({ ...server.connection, max: 4 }, log);
  return {
    store: new Store({ database, clock, log }),
    close: async () => {
      await database.close();
      await server.stop();
    },
  };
}
