import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isOnCitus } from "./support/citus.ts";
import { startServer, type TestServer } from "./support/server.ts";

let server: TestServer;
const [login, password] = ["ann@long.example", "sesame"];

beforeAll(async () => {
  server = await startServer();
  await server.addAccount(login, password);
}, 120_000);
afterAll(() => server?.dispose());

/** What `posthorn ARGS` prints while another transaction holds a table for some seconds. */
async function whileLocked(table: string, args: string[]) {
  const client = new pg.Client(server.connection);
  await client.connect();
  try {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const ended = server.cli(args);
    const isWaiting = async () => (await client.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount !== 0;
    while (!(await isWaiting())) await sleep(100);
    await sleep(7_000);
    await client.query("COMMIT");
    return await ended;
  } finally {
    await client.end();
  }
}

/** On Citus the server's variable names its database. */
test.skipIf(isOnCitus)(
  "migrate prints a line for each migration",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "posthorn-migrate-"));
    try {
      const files = readdirSync(new URL("../migrations", import.meta.url)).filter((name) => /^\d/.test(name));
      const lines = files.sort().map((name) => `Applying ${name}\n`);
      const migrate = () => server.cli(["migrate", "--data", join(folder, "data")]);
      const first = await migrate();
      expect(first).toMatchObject({ code: 0, stdout: `${lines.join("")}The database is up to date.\n` });
      // On a busy machine a database takes its time to start.
      expect(first.stderr.replace(/^posthorn: waiting for the database in .*\n/, "")).toBe("");
      expect((await migrate()).stdout).toBe("The database is up to date.\n");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);

test("doctor reports its progress every few seconds, within an account too", async () => {
  const { code, stderr } = await whileLocked("blob_ref", ["doctor"]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^(account 1 of 3: counts and rows \(\d+ s\)\n){2,}$/);
}, 60_000);

test("doctor names a truncated body, and its exit code is 1", async () => {
  const client = await server.login(login, password);
  await client.upload("a body", "text/plain");
  expect((await server.cli(["doctor"])).code).toBe(0);
  const blobs = join(server.dataFolder, "blobs");
  const hash = createHash("sha256").update("a body").digest("hex");
  const name = readdirSync(blobs, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith(hash));
  truncateSync(join(blobs, name!), 0);
  const { code, stdout } = await server.cli(["doctor"]);
  expect(stdout).toMatch(new RegExp(`^account \\d+: the object ${name} has 0 bytes instead of 6$`, "m"));
  expect(stdout).toContain("1 difference.");
  expect(code).toBe(1);
}, 60_000);

test("account erase reports its progress every few seconds", async () => {
  const { code, stderr, stdout } = await whileLocked("message", ["account", "erase", login, "--yes"]);
  expect(stderr).toMatch(/(emptying message: table \d+ of \d+, [1-9]\d* rows removed \(\d+ s\)\n){2,}/);
  expect(stdout).toContain(`Erased the account ${login}`);
  expect(code).toBe(0);
}, 60_000);
