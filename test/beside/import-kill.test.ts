import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import type { GetResult, Json } from "../../conformance/client/types.ts";
import { scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

const mails = scaled(1_500, 20_000);
const kills = scaled(3, 20);
const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "posthorn-killed-import-"));
const box = join(folder, "Box.mbox");
let server: TestServer;

beforeAll(async () => {
  const texts = Array.from({ length: mails }, (_, n) => {
    // Every tenth is there twice, and some answer others.
    const own = n % 10 === 9 ? n - 1 : n;
    const answers = own > 50 && own % 7 === 0 ? `In-Reply-To: <${own - 49}@x.test>\n` : "";
    return `From a@x.test Tue Dec  1 15:00:00 2026\nFrom: a@x.test\nSubject: s\nMessage-ID: <${own}@x.test>\n${answers}Date: Tue, 1 Dec 2026 15:00:00 +0000\n\nHello ${own}\n\n`;
  });
  writeFileSync(box, texts.join(""));
  server = await startServer({ env: { POSTHORN_DEMO: "false" } });
  for (const name of ["whole", "killed"]) await server.addAccount(`${name}@import.test`, "password");
}, 60_000);
afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const args = (name: string) => ["import", `${name}@import.test`, box, "--from", "mbox", "--json"];

/** What the account has, without ids; threads by the mails in them. */
async function contents(client: Client): Promise<unknown> {
  const emails: { messageId: string; rest: string; threadId: string }[] = [];
  for (;;) {
    const query = { position: emails.length, limit: 500, sort: [{ property: "receivedAt" }] };
    const { ids } = await one<{ ids: string[] }>(client, "Email/query", query);
    if (ids.length === 0) break;
    const properties = ["messageId", "subject", "keywords", "receivedAt", "threadId", "size"];
    const { list } = await one<GetResult<Json & { id: string }>>(client, "Email/get", { ids, properties });
    for (const { id: _, threadId, messageId, ...rest } of list) {
      emails.push({ messageId: String(messageId), rest: JSON.stringify(rest), threadId: threadId as string });
    }
  }
  const threads = Map.groupBy(emails, ({ threadId }) => threadId);
  const { list } = await one<GetResult<Json>>(client, "Mailbox/get", {
    properties: ["name", "role", "totalEmails", "totalThreads"],
  });
  return {
    mailboxes: list.map(({ id: _, ...mailbox }) => mailbox),
    emails: emails.map(({ messageId, rest }) => `${messageId} ${rest}`).sort(),
    threads: [...threads.values()]
      .map((all) =>
        all
          .map(({ messageId }) => messageId)
          .sort()
          .join(" "),
      )
      .sort(),
  };
}

test(`an import killed ${kills} times and run again gives the account that one without a kill gives`, async () => {
  expect(await server.cli(args("whole"))).toMatchObject({ code: 0 });
  const count = async () => {
    const { list } = await one<GetResult<Json>>(killed, "Mailbox/get", { properties: ["totalEmails"] });
    return list.reduce((sum, { totalEmails }) => sum + Number(totalEmails), 0);
  };
  const killed = await server.login("killed@import.test", "password");
  const stands: number[] = [];
  for (let n = 0; n < kills; n++) {
    const before = await count();
    const child = spawn(process.execPath, [main, ...args("killed")], {
      env: { ...process.env, ...server.env },
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await expect.poll(count, { timeout: 30_000, interval: 20 }).toBeGreaterThan(before);
    child.kill("SIGKILL");
    await ended;
    stands.push(await count());
  }
  const last = await server.cli(args("killed"));
  expect(last).toMatchObject({ code: 0 });
  const result = JSON.parse(last.stdout) as { seen: number; made: number };
  expect(result.seen).toBe(mails);
  // At least one kill came in the middle.
  expect(stands.some((stand) => stand > 0 && stand < mails * 0.9)).toBe(true);
  const whole = await server.login("whole@import.test", "password");
  expect(await contents(killed)).toEqual(await contents(whole));
  expect(await server.cli(["doctor"])).toMatchObject({ code: 0 });
}, 120_000);
