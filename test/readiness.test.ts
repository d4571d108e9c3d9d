import { readdirSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "./support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ isEmbedded: true });
}, 60_000);
afterAll(() => server?.dispose());

async function ask(url = `${server.url}/readyz`) {
  const begin = performance.now();
  const response = await fetch(url, { headers: { connection: "close" } });
  const text = await response.text();
  return { status: response.status, text, time: performance.now() - begin };
}

/** Retries, since the result of a check is cached for a second. */
async function expectSoon(status: number, told: object | string): Promise<void> {
  await expect.poll(async () => (await ask()).status, { timeout: 5_000, interval: 200 }).toBe(status);
  for (const url of [`${server.url}/readyz`, server.metricsUrl.replace("/metrics", "/readyz")]) {
    const { text, time } = await ask(url);
    expect(typeof told === "string" ? text : JSON.parse(text)).toEqual(told);
    expect(time).toBeLessThan(1_000);
  }
}

/** The postmaster and all its child processes. */
function postgres(): number[] {
  const postmaster = server.postgresPid();
  const children = readdirSync("/proc").filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]!.split(" ")[1] === String(postmaster)
      );
    } catch {
      return false;
    }
  });
  return [postmaster, ...children.map(Number)];
}

test("while Postgres hangs, /readyz answers within a second and names the database", async () => {
  await expectSoon(200, "ready\n");
  const stopped = postgres();
  for (const pid of stopped) process.kill(pid, "SIGSTOP");
  try {
    await expectSoon(503, { ready: false, database: "gives no answer", bodies: "ok", disk: "ok" });
    expect((await ask(`${server.url}/healthz`)).status).toBe(200);
  } finally {
    for (const pid of stopped) process.kill(pid, "SIGCONT");
  }
  await expectSoon(200, "ready\n");
});

test("when bodies cannot be written, /readyz says so, and the log says it once", async () => {
  const blobs = join(server.dataFolder, "blobs");
  await rename(blobs, `${blobs}-away`);
  await writeFile(blobs, "");
  await expectSoon(503, { ready: false, database: "ok", bodies: "can't be written", disk: "ok" });
  await rm(blobs);
  await rename(`${blobs}-away`, blobs);
  await expectSoon(200, "ready\n");
  expect(server.output.match(/"bodies":"can't be written"/g)).toHaveLength(1);
});
