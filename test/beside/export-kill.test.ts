import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Client } from "../../conformance/client/client.ts";
import type { Json } from "../../conformance/client/types.ts";
import { portraitCapabilities, portraitOf } from "../support/portrait.ts";
import { scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "posthorn-export-kill-"));
const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const mails = scaled(120, 5_000);
const kills = scaled(3, 40);
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { POSTHORN_DEMO: "false" } });
  for (const name of ["ann", "bea"]) await server.addAccount(`${name}@kill.example`, "correct horse");
}, 60_000);
afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (client: Client) => async (name: string, args: Json) =>
  (await client.call([[name, { accountId: client.accountId, ...args }, "0"]], portraitCapabilities))[0]![1];

/** Kills the command once it has got so far, and says whether it was still running. */
async function killed(args: string[], isFarEnough: () => Promise<boolean>): Promise<boolean> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...server.env },
    stdio: "ignore",
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  while (child.exitCode === null && !(await isFarEnough())) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill("SIGKILL");
  return (await ended) === "SIGKILL";
}

test("an export and an import that are killed again and again end with the whole account, each mail once", async () => {
  const client = await server.login("ann@kill.example", "correct horse");
  const call = ask(client);
  const inbox = ((await call("Mailbox/get", { ids: null })).list as Json[]).find(({ role }) => role === "inbox")!.id;
  const blobs: { blobId: string }[] = [];
  const upload = (n: number) =>
    client.upload(`Subject: ${n}\r\nMessage-ID: <${n}@x>\r\n\r\n${n}\r\n`, "message/rfc822");
  // As many at a time as the server takes.
  for (let n = 0; n < mails; n += 4) blobs.push(...(await Promise.all([n, n + 1, n + 2, n + 3].map(upload))));
  const emails = blobs.map(({ blobId }, n) => [
    `a${n}`,
    { blobId, mailboxIds: { [inbox as string]: true }, receivedAt: "2026-01-02T03:04:05Z" },
  ]);
  for (let at = 0; at < emails.length; at += 100) {
    await call("Email/import", { emails: Object.fromEntries(emails.slice(at, at + 100)) });
  }
  const to = join(folder, "ann");
  const written = async () => {
    try {
      return readdirSync(join(to, "messages")).length;
    } catch {
      return 0;
    }
  };
  let reached = 0;
  for (let n = 1; n <= kills; n++) {
    const goal = Math.floor((mails * n) / (kills + 2));
    reached += Number(await killed(["export", "ann@kill.example", "--to", to], async () => (await written()) >= goal));
    expect((await server.cli(["export", "--verify", to])).code).toBe(1);
  }
  expect(reached).toBe(kills);
  expect((await server.cli(["export", "ann@kill.example", "--to", to])).code).toBe(0);
  expect((await server.cli(["export", "--verify", to])).stdout).toContain(`${mails} messages, ${mails} emails`);
  expect(readdirSync(to).sort()).toEqual(["SHA256SUMS", "manifest.json", "messages", "objects"]);

  const bea = await server.login("bea@kill.example", "correct horse");
  const count = async () => ((await ask(bea)("Email/query", { calculateTotal: true, limit: 1 })).total as number) ?? 0;
  const into = ["import", "bea@kill.example", to, "--from", "archive"];
  for (let n = 0; n < kills; n++) {
    const goal = Math.floor((mails * n) / (kills + 1)) + 1;
    await killed(into, async () => (await count()) >= goal);
  }
  const last = await server.cli([...into, "--json"]);
  const { emails: done } = JSON.parse(last.stdout) as { emails: { added: number; present: number } };
  expect(done.added + done.present).toBe(mails);
  const [one, other] = await Promise.all([portraitOf(ask(client)), portraitOf(ask(bea))]);
  expect(other.emails).toEqual(one.emails);
}, 120_000);
