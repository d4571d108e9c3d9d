import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Clone } from "./citus.ts";
import { templates } from "./postgres-setup.ts";

/** A migrated database on the server that all tests of the run share. */
export async function cloneShared(): Promise<Clone> {
  const server = inject("postgres");
  const name = `test_${randomBytes(8).toString("hex")}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${templates.migrated}`);
  return {
    url: `postgres://${server.user}@/${name}?host=${encodeURIComponent(server.host)}`,
    drop: () => onServer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function onServer(text: string): Promise<void> {
  const admin = new Database({ ...inject("postgres"), max: 1 }, silentLog);
  await admin.run(unprepared(text)).finally(() => admin.close());
}
