import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/base/log.ts";
import { startEmbedded } from "../src/postgres/embedded.ts";
import { Database } from "../src/store/core/database.ts";
import { migrate } from "../src/store/core/migrate.ts";

/** Runs `work` on a new database that only the migrations have filled. */
export async function onMigrated(work: (database: Database) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-migrated-"));
  // As root, Postgres runs as another user, who must reach its data.
  await chmod(folder, 0o755);
  try {
    const server = await startEmbedded({ dataFolder: join(folder, "data"), log: silentLog });
    const database = new Database({ ...server.connection, max: 1 }, silentLog);
    try {
      await migrate(database, silentLog);
      await work(database);
    } finally {
      await database.close();
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
