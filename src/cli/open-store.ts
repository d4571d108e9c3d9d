import { mkdir } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import { startEmbedded } from "../postgres/embedded.ts";
import type { ConnectionOptions } from "../store/core/connection-options.ts";
import { Database } from "../store/core/database.ts";
import { makeKeys } from "../store/core/installation-key.ts";
import { checkMigrated, migrate } from "../store/core/migrate.ts";
import { refusePooler } from "../store/core/pooler.ts";
import { Store } from "../store/core/store.ts";
import type { Surroundings } from "./parts.ts";
import { checkPorts } from "./ports.ts";

export interface OpenStore {
  store: Store;
  /** How other processes reach the database. */
  connection: ConnectionOptions;
  /** Resolves when the database is lost for good. */
  lost: Promise<Error>;
  close(): Promise<void>;
}

/** Opens the embedded or configured database and migrates it. If a port is taken, it fails before it migrates. */
export async function openStore(
  config: Config,
  { clock, log }: Surroundings,
  pool: { max?: number } = {},
): Promise<OpenStore> {
  const embedded = config.databaseUrl === "" ? await startEmbedded({ dataFolder: config.data, log }) : undefined;
  const connection: ConnectionOptions = embedded?.connection ?? { connectionString: config.databaseUrl };
  if (!embedded) {
    // With bodies in S3 nothing else makes it, and what is checked is the room there.
    await mkdir(config.data, { recursive: true, mode: 0o700 });
    await refusePooler(connection);
  }
  const database = new Database({ ...connection, ...pool, isReadOnly: config.readOnly }, log);
  const close = async () => {
    await database.close();
    await embedded?.stop();
  };
  const lost = new Promise<Error>((resolve) => embedded?.onLost(resolve));
  try {
    // After the start of the database, since "the folder is in use" is the better message when both apply.
    await checkPorts(config);
    const { nodes } = database;
    await nodes.start();
    const isCoordinatorAway = nodes.main.isAway && (await nodes.isCitus());
    if (config.readOnly || isCoordinatorAway) await checkMigrated(database);
    else {
      await migrate(database, log);
      // There were none before, if this or another process has just made the tables.
      await nodes.start();
      await makeKeys(database, log);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { store: new Store({ database, clock, log }), connection, lost, close };
}
