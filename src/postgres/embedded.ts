import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../base/log.ts";
import { initialize } from "./initialize.ts";
import { connectionTo, existingRunFolder, type Layout, prepareLayout } from "./layout.ts";
import { type Connection, ownerOf, tryConnect } from "./owner.ts";
import { draftIn } from "./recovery.ts";
import { type ExitInfo, Server } from "./server.ts";
import { InUseError, StartError } from "./start-error.ts";

/** The Postgres server that comes with Posthorn. */
export interface EmbeddedPostgres {
  /** Options for pg.Pool. They stay the same when the server is restarted. */
  readonly connection: Connection;
  /** The server's process; 0 while it is down. */
  readonly pid: number;
  /** Shuts down fast: open transactions are rolled back. Takes at most half a minute. */
  stop(): Promise<void>;
  /** Called when the server died without being stopped. It is already being restarted. */
  onExit(callback: (info: ExitInfo) => void): void;
  /** Called when another process took the folder while the server was down; end this process then. (Default: throws.) */
  onLost(callback: (error: Error) => void): void;
}

export interface EmbeddedOptions {
  dataFolder: string;
  log: Log;
  /** The caller is a short-lived command. (Default: false.) */
  isPassing?: boolean;
  /** How long the server may take to recover before it answers. (Default: 10 minutes) */
  maxRecoveryMs?: number;
}

/** How long a start waits for a command that works on the folder. */
const maxCommandMs = 30_000;

/** Starts or takes over the server of one data folder. Throws StartError with a one-line message. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const layout = await prepare(options.dataFolder);
  const { log, isPassing = false, maxRecoveryMs } = options;
  const server = new Server(layout, connectionTo(layout.run), { log, isPassing, maxRecoveryMs });
  await afterCommands(() => server.start());
  options.log.info({ pid: server.pid, folder: layout.data }, "Postgres is ready");
  return {
    connection: connectionTo(layout.run),
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    onExit: (callback) => server.onExit(callback),
    onLost: (callback) => server.onLost(callback),
  };
}

/** Retries the work while a command uses the same folder. */
async function afterCommands(work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + maxCommandMs; ; await sleep(50)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InUseError) || !error.isPassing || Date.now() > deadline) throw error;
    }
  }
}

async function prepare(dataFolder: string): Promise<Layout> {
  const draft = draftIn(dataFolder);
  if (existsSync(draft)) {
    throw new StartError(
      `${dataFolder} is being restored: run posthorn restore again, or remove ${draft} to give it up`,
    );
  }
  try {
    const layout = prepareLayout(dataFolder);
    await initialize(layout);
    return layout;
  } catch (error) {
    if (error instanceof StartError) throw error;
    // An error of the file system; its message names the path.
    throw new StartError(`cannot prepare the data folder ${dataFolder}: ${(error as Error).message}`);
  }
}

/**
 * The connection of a server that runs on this folder and will stay; undefined if there is none. A server that a command
 * started does not count, because it stops with the command; nor does one without an owner.
 */
export async function findEmbedded(dataFolder: string): Promise<EmbeddedPostgres["connection"] | undefined> {
  const run = existingRunFolder(dataFolder);
  if (run === undefined) return undefined;
  const connection = connectionTo(run);
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = await tryConnect(connection, "posthorn", 2_000);
    if (client === "absent") return undefined;
    if (client !== "starting") {
      const owner = await ownerOf(client).catch(() => undefined);
      await client.end().catch(() => {});
      return owner && !owner.isPassing ? connection : undefined;
    }
    await sleep(50);
  }
  return undefined;
}
