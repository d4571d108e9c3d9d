import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { services } from "../../../test/support/peers/available.ts";
import { freePorts, until } from "../../../test/support/ports.ts";
import { createPlainDatabase } from "../../../test/support/postgres.ts";
import { PoolerRefused, refusePooler } from "./pooler.ts";

const { connection } = await createPlainDatabase();
const program = join(services, "root/usr/sbin/pgbouncer");
const why = existsSync(program) ? undefined : "scripts/test-services.sh has not brought it";
if (why) process.stderr.write(`\nLEFT OUT: a database behind PgBouncer: ${why}\n`);

/** A PgBouncer before the test database; returns its URL. */
async function pgbouncer(settings: Record<string, string | number>): Promise<string> {
  const { host, user } = inject("postgres");
  const [port] = (await freePorts(1)) as [number];
  const folder = await mkdtemp(join(tmpdir(), "pgbouncer-"));
  await chmod(folder, 0o755);
  const lines = Object.entries({ listen_addr: "127.0.0.1", listen_port: port, auth_type: "any", ...settings });
  const ini = join(folder, "pgbouncer.ini");
  await writeFile(
    ini,
    `[databases]\n* = host=${host} user=${user}\n[pgbouncer]\nunix_socket_dir =\n` +
      lines.map(([name, value]) => `${name} = ${value}\n`).join(""),
  );
  // The owner of the database's socket: PgBouncer refuses to run as root, and others may not use the socket.
  const { uid, gid } = statSync(host);
  const child = spawn(program, [ini], { stdio: "ignore", ...(process.getuid?.() === 0 && { uid, gid }) });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });
  const isTaken = () =>
    new Promise<boolean>((resolve) => {
      const server = createServer().once("error", () => resolve(true));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
    });
  await until("pgbouncer", isTaken);
  return `postgres://${user}@127.0.0.1:${port}/${connection.database}`;
}

const accepting = { ignore_startup_parameters: "options" };

test("a database that is reached directly is accepted", async () => {
  await refusePooler(connection);
});

describe.skipIf(why)("PgBouncer", () => {
  test.each(["transaction", "statement"])("that pools by %s is refused, also with a single session", async (mode) => {
    for (const size of [1, 20]) {
      const connectionString = await pgbouncer({ pool_mode: mode, default_pool_size: size, ...accepting });
      const error = await refusePooler({ connectionString }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PoolerRefused);
      expect((error as Error).message).toContain("--database-url must lead to Postgres itself");
    }
  });

  test("that pools sessions is accepted, also with a single session", async () => {
    for (const size of [1, 20]) {
      const connectionString = await pgbouncer({ pool_mode: "session", default_pool_size: size, ...accepting });
      await refusePooler({ connectionString });
    }
  });

  test("that refuses the options of our sessions is named as the reason", async () => {
    const connectionString = await pgbouncer({ pool_mode: "session" });
    await expect(refusePooler({ connectionString })).rejects.toThrow(
      'behind a pooler, which answers "unsupported startup parameter: options"',
    );
  });
});
