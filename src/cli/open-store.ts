import type { Config } from "../config/schema.ts";
import { Database } from "../store/database.ts";
import { startEmbedded } from "../store/embedded/embedded.ts";
import { migrate } from "../store/migrate.ts";
import { Store } from "../store/store.ts";
import type { Surroundings } from "./parts.ts";
import { checkPorts } from "./ports.ts";

export interface OpenStore {
  store: Store;
  /** For connections outside the pool. */
  connection: { connectionString: string } | { host: string; user: string; database: string };
  /** Resolves when the database is lost for good. */
  lost: Promise<Error>;
  close(): Promise<void>;
}

/** The database that a server owns or is told of, migrated; left as it is where the ports cannot be had. */
export async function openStore(config: Config, { clock, log }: Surroundings): Promise<OpenStore> {
  const embedded = config.databaseUrl === "" ? await startEmbedded({ dataFolder: config.data, log }) : undefined;
  const connection = embedded?.connection ?? { connectionString: config.databaseUrl };
  const database = new Database(connection, log);
  const close = async () => {
    await database.close();
    await embedded?.stop();
  };
  const lost = new Promise<Error>((resolve) => embedded?.onLost(resolve));
  try {
    // Not before: of a folder in use, that is the better news.
    await checkPorts(config);
    await migrate(database, log);
  } catch (error) {
    await close();
    throw error;
  }
  return { store: new Store({ database, clock, log }), connection, lost, close };
}
