import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../base/clock.ts";
import { silentEvents } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { findEmbedded, startEmbedded } from "../postgres/embedded.ts";
import { InUseError } from "../postgres/start-error.ts";
import { refuseClosedToUs } from "../postgres/system-user.ts";
import type { Bus } from "../push/bus.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import { isMigrated } from "../store/cluster/members.ts";
import { Database } from "../store/core/database.ts";
import { checkMigrated, migrate } from "../store/core/migrate.ts";
import { refusePooler } from "../store/core/pooler.ts";
import { Store } from "../store/core/store.ts";
import { bodiesOf } from "./bodies.ts";
import { createBus } from "./bus.ts";
import { Failure } from "./fail.ts";
import { openRedis } from "./redis.ts";

export interface StoreOptions {
  config: Config;
  log: Log;
  begins: boolean;
  /** Whether the migrations are applied that the database lacks. */
  migrates: boolean;
  /** Called with the name of each migration before it is applied. */
  migrating?: ((name: string) => void) | undefined;
}

interface Opened {
  store: Store;
  objects: ObjectStore;
  /** Reaches the running servers. */
  bus: Bus;
}

/**
 * Opens the configured store for a command, whether or not a server is running on it. Only a command with `begins` creates
 * a missing database: for the others, a data folder without one is taken for a mistyped name.
 */
export async function withStore<T>(
  { config, log, begins, migrates, migrating }: StoreOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  // A folder that we may not read would look like one without a database.
  if (config.databaseUrl === "") refuseClosedToUs(resolve(config.data));
  if (!begins && config.databaseUrl === "" && !existsSync(join(config.data, "pg"))) {
    throw new Failure(`there is no database in ${resolve(config.data)} yet: "posthorn serve" creates one`);
  }
  const { options, stop } = await reach(config, log);
  const database = new Database({ ...options, max: 4 }, log);
  try {
    if (migrates) await migrate(database, log, { tell: migrating });
    else if (await isMigrated(database)) await checkMigrated(database);
    const store = new Store({ database, clock: systemClock, log });
    const redis = await openRedis(config, { clock: systemClock, log, events: silentEvents });
    const bus = createBus({ store, log, carrier: redis?.carrier });
    try {
      return await work({
        store,
        objects: bodiesOf(config, { clock: systemClock, random: randomBytes, log, events: silentEvents }),
        bus,
      });
    } finally {
      await bus.close();
      await redis?.close();
    }
  } finally {
    await database.close();
    await stop();
  }
}

/** Reaches the configured database, a running server's, or one that we start for the time of the command. */
async function reach(config: Config, log: Log) {
  if (config.databaseUrl !== "") {
    const options = { connectionString: config.databaseUrl };
    await refusePooler(options);
    return { options, stop: async () => {} };
  }
  const notice = setTimeout(() => {
    process.stderr.write(`posthorn: waiting for the database in ${resolve(config.data)} …\n`);
  }, noticeAfterMs);
  try {
    return await reachEmbedded(config.data, log);
  } finally {
    clearTimeout(notice);
  }
}

const noticeAfterMs = 3_000;
const maxWaitMs = 60_000;

/** Uses a running server's database, else starts our own. If a server starts at the same time and is first, waits to use its database. */
async function reachEmbedded(dataFolder: string, log: Log) {
  for (const deadline = Date.now() + maxWaitMs; ; await sleep(50)) {
    const running = await findEmbedded(dataFolder);
    if (running) return { options: running, stop: async () => {} };
    try {
      const own = await startEmbedded({ dataFolder, log, isPassing: true });
      return { options: own.connection, stop: () => own.stop() };
    } catch (error) {
      if (!(error instanceof InUseError) || Date.now() > deadline) throw error;
    }
  }
}
