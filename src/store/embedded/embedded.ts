import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../base/log.ts";
import { initialize } from "./initialize.ts";
import { connectionTo, existingRunFolder, type Layout, prepareLayout } from "./layout.ts";
import { type Connection, tryConnect } from "./owner.ts";
import { type ExitInfo, Server } from "./server.ts";
import { StartError } from "./start-error.ts";

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

/** Starts (or takes over) the server of one data folder. Throws StartError with a clear one-line message. */
export async function startEmbedded(options: { dataFolder: string; log: Log }): Promise<EmbeddedPostgres> {
  const layout = await prepare(options.dataFolder);
  const server = new Server(layout, connectionTo(layout.run), options.log);
  await server.start();
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

/** Connection of a server already running on this folder, or undefined. */
export async function findEmbedded(dataFolder: string): Promise<EmbeddedPostgres["connection"] | undefined> {
  const run = existingRunFolder(dataFolder);
  if (run === undefined) return undefined;
  const connection = connectionTo(run);
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = await tryConnect(connection, "posthorn", 2_000);
    if (client === "absent") return undefined;
    if (client !== "starting") {
      await client.end();
      return connection;
    }
    await sleep(50);
  }
  return undefined;
}
