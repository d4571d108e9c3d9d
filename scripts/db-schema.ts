import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../src/base/log.ts";
import { startEmbedded } from "../src/postgres/embedded.ts";
import { Database } from "../src/store/core/database.ts";
import { migrate } from "../src/store/core/migrate.ts";
import { dumpSchema, schemaFile, withTitle } from "./schema-dump.ts";

/** Writes migrations/schema.sql: the schema that the migrations make in an empty database. */
const folder = await mkdtemp(join(tmpdir(), "posthorn-schema-"));
try {
  const server = await startEmbedded({ dataFolder: join(folder, "data"), log: silentLog });
  const database = new Database({ ...server.connection, max: 1 }, silentLog);
  try {
    await migrate(database, silentLog);
    await writeFile(schemaFile, withTitle(await dumpSchema(database)));
  } finally {
    await database.close();
    await server.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
