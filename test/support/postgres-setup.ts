import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { silentLog } from "../../src/base/log.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";
import { Database } from "../../src/store/core/database.ts";
import { migrate } from "../../src/store/core/migrate.ts";
import { unprepared } from "../../src/store/core/sql.ts";

/** Options for pg of the server that all tests of a run share. */
export interface TestServer {
  host: string;
  user: string;
  database: string;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: TestServer;
  }
}

export type Template = "migrated" | "empty";
export const templates: Record<Template, string> = { migrated: "migrated", empty: "template0" };

/** One Postgres for the whole run, with a migrated database to copy. It does not sync to disk. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-test-"));
  await chmod(folder, 0o755);
  const server = await startEmbedded({ dataFolder: join(folder, "data"), log: silentLog });
  const admin = new Database(server.connection, silentLog);
  for (const setting of ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]) {
    await admin.run(unprepared(`ALTER SYSTEM SET ${setting}`));
  }
  await admin.run(unprepared("SELECT pg_reload_conf()"));
  await admin.run(unprepared(`CREATE DATABASE ${templates.migrated}`));
  await admin.close();
  const template = new Database({ ...server.connection, database: templates.migrated }, silentLog);
  await migrate(template, silentLog);
  await template.close();
  project.provide("postgres", { ...server.connection });
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
