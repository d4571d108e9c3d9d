import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import { deliver } from "../../conformance/client/smtp.ts";
import type { GetResult, Json, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { until } from "../support/ports.ts";
import { startStrict } from "../support/s3/bucket.ts";
import { bucketOf, optionsFor } from "../support/s3/place.ts";
import { scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

const address = "ann@home.test";
const password = "a long password";
const folder = mkdtempSync(join(tmpdir(), "posthorn-backup-"));
const [place, key] = [join(folder, "backup"), join(folder, "key")];
const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

let server: TestServer;
let client: Client;

/** A server with a database of its own, and its bodies elsewhere than the backup. */
async function withOwnDatabase(work: (bucket: string) => Promise<void>): Promise<void> {
  const [embedded, own] = [server, client];
  const { POSTHORN_BODIES: bucket = "", ...env } = optionsFor(bucketOf(await startStrict()));
  server = await startServer({ isShared: true, env: { ...env, POSTHORN_DEMO: "false", POSTHORN_CACHE_BYTES: "0" } });
  try {
    await server.addAccount(address, password);
    client = await server.login(address, password);
    await work(bucket);
  } finally {
    await server.dispose();
    [server, client] = [embedded, own];
  }
}

beforeAll(async () => {
  server = await startServer({ isEmbedded: true, env: { POSTHORN_DEMO: "false" } });
  await server.addAccount(address, password);
  client = await server.login(address, password);
  await server.cli(["backup", "--new-key", key]);
}, 120_000);
afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true });
});

async function mail(subject: string, text = "Hello.") {
  const data = `From: a@remote.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@remote.test>\r\n\r\n${text}\r\n`;
  await deliver({ port: server.smtpPort, from: "a@remote.test", to: address, data, timeoutMs: 20_000 });
}

/** All mails with what a client sees of them, once there are so many. */
async function mails(count: number): Promise<Json[]> {
  const ids = await until(`${count} mails`, async () => {
    const found = await one<QueryResult>(client, "Email/query", { limit: 1000 });
    return found.ids.length >= count ? found.ids : undefined;
  });
  const properties = ["id", "blobId", "threadId", "mailboxIds", "keywords", "receivedAt", "subject", "size", "preview"];
  const { list } = await one<GetResult>(client, "Email/get", { ids, properties });
  return list as Json[];
}

const stateOf = async () => (await one<GetResult>(client, "Email/get", { ids: [] })).state;

async function flag(email: Json, keyword: string): Promise<void> {
  const update = { [String(email.id)]: { [`keywords/${keyword}`]: true } };
  const { notUpdated } = await one<SetResult>(client, "Email/set", { update });
  expect(notUpdated ?? null).toBeNull();
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await server.cli([...args, "--key", key, "--json"]);
  expect(code, `${args.join(" ")}: ${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Starts a command, and kills it once it has come so far. */
async function killed(args: string[], isFar: () => boolean): Promise<void> {
  const env = { ...process.env, ...server.env };
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn(process.execPath, [program, ...args, "--key", key], { env, stdio: [...stdio] });
  let said = "";
  child.stderr!.on("data", (text) => {
    said += String(text);
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await until(`${args[0]} has come far`, () => isFar() || child.exitCode !== null, { timeoutMs: 30_000, everyMs: 1 });
  expect(child.exitCode, `it was done too soon to be killed: ${said}`).toBeNull();
  child.kill("SIGKILL");
  await ended;
}

const files = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test("what was acknowledged before a moment is there after everything was lost, and nothing later", async () => {
  for (let n = 0; n < scaled(6, 200); n++) await mail(`first-${n}`);
  await mail("large", "A line of text.\r\n".repeat(330_000));
  await mails(scaled(7, 201));

  // A backup that is killed in the middle leaves nothing that counts; the next one is whole.
  await killed(["backup", "--to", place], () => existsSync(join(place, "bodies")));
  expect(await run("backup", "list", "--from", place)).toEqual([]);
  expect(await run("backup", "--to", place, "--verify")).toMatchObject({ kind: "full", verified: { faults: [] } });

  for (let n = 0; n < scaled(4, 100); n++) await mail(`second-${n}`);
  const before = await mails(scaled(11, 301));
  await flag(before[0]!, "$flagged");
  await flag(before[3]!, "later");
  await one<SetResult>(client, "Email/set", { destroy: [before[5]!.id] });
  const state = await stateOf();
  const wanted = await mails(scaled(10, 300));
  await sleep(50);
  const moment = new Date();
  await sleep(50);

  for (let n = 0; n < scaled(3, 50); n++) await mail(`late-${n}`);
  const later = await mails(scaled(13, 350));
  await flag(later.at(-1)!, "$flagged");
  await server.addAccount("bob@home.test", password);
  const bob = (await server.login("bob@home.test", password)).accountId;
  const lateState = await stateOf();

  expect(await run("backup", "--to", place, "--dry-run")).toMatchObject({
    kind: "log",
    added: { objects: scaled(7, 150) },
  });
  const taken = await run("backup", "--to", place);
  expect(taken).toMatchObject({ kind: "log", added: { objects: scaled(7, 150) } });
  expect(Date.parse(String(taken.until))).toBeGreaterThan(moment.getTime());

  // Everything is lost.
  await server.stop();
  rmSync(server.dataFolder, { recursive: true });

  const restore = ["restore", "--from", place, "--to", moment.toISOString()];
  await refusesDamage(restore);
  const draft = join(server.dataFolder, "restoring");
  await killed(restore, () => existsSync(join(draft, "pg", "PG_VERSION")));
  expect((await server.spawnCli(["serve"])).stderr).toContain("is being restored");
  await killed(restore, () => existsSync(join(draft, "recovered")));
  expect(await run(...restore)).toMatchObject({ moment: moment.toISOString(), missing: [] });
  expect(existsSync(draft)).toBe(false);

  await server.start();
  client = await server.login(address, password);
  expect(await mails(wanted.length)).toEqual(wanted);
  for (const known of [state, lateState]) {
    await expect(one(client, "Email/changes", { sinceState: known })).rejects.toThrow("cannotCalculateChanges");
  }
  const doctor = await server.cli(["doctor", "--json"]);
  expect(JSON.parse(doctor.stdout)).toMatchObject({ findings: [] });

  // What is new has ids that nobody has seen.
  await mail("after");
  const seen = new Set([...later, ...before].map(({ id }) => id));
  const fresh = (await mails(wanted.length + 1)).filter(({ subject }) => subject === "after");
  expect(fresh.map(({ id }) => seen.has(id))).toEqual([false]);
  await server.addAccount("bob@home.test", password);
  expect((await server.login("bob@home.test", password)).accountId).not.toBe(bob);

  // The next backup is a whole one, since the log has a gap; both moments stay within reach.
  expect(await run("backup", "--to", place, "--verify")).toMatchObject({ kind: "full", verified: { faults: [] } });
  expect(await run("backup", "verify", "--from", place)).toMatchObject({ faults: [] });
  await restoresAccounts(wanted, moment);
}, 180_000);

/** Beside the server: to another account all that there was at a moment; to the same one, what was destroyed since. */
async function restoresAccounts(wanted: Json[], moment: Date): Promise<void> {
  const all = await mails(wanted.length + 1);
  await one<SetResult>(client, "Email/set", { destroy: [all[0]!.id, all[2]!.id] });
  const account = ["restore", "--from", place, "--account", address];
  const copy = join(server.dataFolder, "restoring-account");
  await killed(account, () => existsSync(join(copy, "data", "recovered")));
  expect(await run(...account)).toMatchObject({ emails: { added: 2, present: all.length - 2 } });
  expect(existsSync(copy)).toBe(false);
  const shown = (emails: Json[]) =>
    emails.map(({ subject, keywords, size }) => JSON.stringify([subject, keywords, size])).sort();
  expect(shown(await mails(all.length))).toEqual(shown(all));

  await server.addAccount("old@home.test", password);
  const old = [...account, "--into", "old@home.test", "--to", moment.toISOString()];
  expect(await run(...old)).toMatchObject({ emails: { added: wanted.length }, unreadable: [] });
  client = await server.login("old@home.test", password);
  expect(shown(await mails(wanted.length))).toEqual(shown(wanted));
  expect((await server.cli([...account, "--into", "nobody@home.test", "--key", key])).stderr).toContain("no account");
  expect((await server.cli(["doctor"])).stdout).toContain("All is well.");
}

test("beside a database of the operator's own, the bodies are backed up to S3, and restored for what it names", async () => {
  await withOwnDatabase(async (bucket) => {
    await mail("kept");
    await mails(1);
    const refused = await server.cli(["backup", "--to", bucket, "--key", key]);
    expect(refused.stderr).toContain("back it up with its own tools, and the message bodies with --only-bodies");
    const taken = await run("backup", "--only-bodies", "--to", bucket, "--verify");
    expect(taken).toMatchObject({ kind: "bodies", added: { objects: 1 }, verified: { faults: [] } });
    expect(taken.restorePoint).toMatch(/^posthorn-20/);
    const state = await stateOf();
    const blobs = join(server.dataFolder, "blobs");
    for (const day of readdirSync(blobs).filter((name) => name.startsWith("20")))
      rmSync(join(blobs, day), { recursive: true });
    expect((await server.cli(["doctor"])).code).toBe(1);
    expect(await run("restore", "--from", bucket)).toMatchObject({ restored: { objects: 1 }, missing: [] });
    expect(await run("restore", "--from", bucket)).toMatchObject({ restored: { objects: 0 }, present: { objects: 1 } });
    expect((await server.cli(["doctor"])).code).toBe(0);
    await expect(one(client, "Email/changes", { sinceState: state })).rejects.toThrow("cannotCalculateChanges");
    await mail("new");
    await mails(2);
  });
}, 120_000);

/** In a copy of the backup, one bit of each file is another. */
async function refusesDamage(restore: string[]): Promise<void> {
  const other = join(folder, "damaged");
  cpSync(place, other, { recursive: true });
  const whole = files(other).filter((file) => !file.endsWith("manifest") && !file.endsWith("posthorn-backup"));
  for (const file of whole) {
    const bytes = readFileSync(file);
    bytes[randomBytes(4).readUInt32BE() % bytes.length]! ^= 1 << (randomBytes(1)[0]! & 7);
    writeFileSync(file, bytes);
  }
  const verified = await server.cli(["backup", "verify", "--from", other, "--key", key, "--json"]);
  expect(verified.code).toBe(1);
  const { files: sound, faults } = JSON.parse(verified.stdout) as { files: number; faults: string[] };
  // Bodies are known by the lists of their days.
  const known = whole.filter((file) => !file.includes("/bodies/"));
  expect([sound, faults.length]).toEqual([0, known.length]);
  const refused = await server.cli([...restore.map((word) => (word === place ? other : word)), "--key", key]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/the backup is damaged: backups\/\S+ is not as it was written/);
  const manifest = files(other).find((file) => file.endsWith("manifest"))!;
  rmSync(manifest);
  writeFileSync(manifest, readFileSync(files(place).find((file) => file.endsWith("manifest"))!).fill(0, 40, 41));
  expect((await server.cli(["backup", "verify", "--from", other, "--key", key])).stderr).toContain("is damaged");

  const wrong = join(folder, `key-${statSync(key).size}`);
  await server.cli(["backup", "--new-key", wrong]);
  const refusal = await server.cli([...restore, "--key", wrong]);
  expect([refusal.code, refusal.stderr]).toEqual([1, expect.stringContaining("the key is not the one of the backup")]);
  rmSync(server.dataFolder, { recursive: true, force: true });
}
