import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../base/log.ts";
import { initialize } from "./initialize.ts";
import { connectionTo, existingRunFolder, type Layout, prepareLayout } from "./layout.ts";
import { type Connection, ownerOf, tryConnect } from "./owner.ts";
import { type ExitInfo, Server } from "./server.ts";
import { InUseError, StartError } from "./start-error.ts";

/** The database that Posthorn brings along. */
export interface EmbeddedPostgres {
  /** Options for pg.Pool; they stay the same when the server is started again. */
  readonly connection: Connection;
  /** The server's process; 0 while it is down. */
  readonly pid: number;
  /** Fast shutdown, at most half a minute. */
  stop(): Promise<void>;
  /** The server died although nobody stopped it. It is being started again. */
  onExit(callback: (info: ExitInfo) => void): void;
  /** Another process took the folder while the server was down: end. Without a callback it is an uncaught exception. */
  onLost(callback: (error: Error) => void): void;
}

export interface EmbeddedOptions {
  dataFolder: string;
  log: Log;
  /** The caller is a command, which will soon be through. (Default: false.) */
  isPassing?: boolean;
}

/** How long a command that works on the folder may take. */
const commandTime = 30_000;

/** Starts (or takes over) the server of one data folder. Throws StartError with a clear one-line message. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const layout = await prepare(options.dataFolder);
  const { log, isPassing = false } = options;
  const server = new Server(layout, connectionTo(layout.run), { log, isPassing });
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

/** Work that waits for commands on the same folder to come to their end. */
async function afterCommands(work: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + commandTime; ; await sleep(50)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InUseError) || !error.isPassing || Date.now() > deadline) throw error;
    }
  }
}

async function prepare(dataFolder: string): Promise<Layout> {
  try {
    const layout = prepareLayout(dataFolder);
    await initialize(layout);
    return layout;
  } catch (error) {
    if (error instanceof StartError) throw error;
    // Of the file system: its message names the path.
    throw new StartError(`cannot prepare the data folder ${dataFolder}: ${(error as Error).message}`);
  }
}

/**
 * Connection of a server that runs on this folder and will stay, or undefined: one that a command has started stops with
 * it, and one that nobody owns is nobody's to rely on.
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
