import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Flood, type FloodName, floods } from "../support/flood.ts";
import { isNightly, scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

type Times = Record<"http" | "webSocket", number[]>;

const kinds = ["http", "webSocket"] as const;
const maxMemoryOctets = 400_000_000;
/** Scheduling priority of the flooder: low at night, so that the server is measured, not the machine. */
const niceness = isNightly ? 19 : 0;

let server: TestServer;
let good: ChildProcess;
let quiet: Record<keyof Times, number>;
let hostile: { credentials: string; account: string };
const children: ChildProcess[] = [];

function start(file: string, args: string[]): ChildProcess {
  const child = fork(fileURLToPath(new URL(`../support/${file}`, import.meta.url)), args, { execArgv: [] });
  children.push(child);
  return child;
}

const basic = (address: string) => `Basic ${Buffer.from(`${address}:a long password`).toString("base64")}`;

async function member(address: string) {
  await server.addAccount(address, "a long password");
  const { accountId } = await server.login(address, "a long password");
  return { credentials: basic(address), account: accountId };
}

/** The times of the requests since the last call. */
async function times(): Promise<Times> {
  good.send("tell");
  return (await once(good, "message"))[0] as Times;
}

function p95(all: number[]): number {
  expect(all.length).toBeGreaterThan(0);
  return all.sort((a, b) => a - b)[Math.ceil(all.length * 0.95) - 1]!;
}

function memory(): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))!;
  return Number(kilobytes) * 1024;
}

/** How long a process has had a core, and how long it waited for one, in ns. */
function schedule(pid: number): { ran: number; waited: number } {
  const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ").map(Number);
  return { ran: ran!, waited: waited! };
}

/** By how much others on the machine slow a process down: 1 when it never waits for a core. */
function slowness(before: ReturnType<typeof schedule>, now: ReturnType<typeof schedule>): number {
  const ran = now.ran - before.ran;
  return (ran + now.waited - before.waited) / ran;
}

beforeAll(async () => {
  server = await startServer({ env: { POSTHORN_DEMO: "false" } });
  hostile = await member("mallory@floods.test");
  const { credentials, account } = await member("ann@floods.test");
  good = start("good-client.ts", [String(server.httpPort), credentials, account]);
  await sleep(2_000);
  await times();
  await sleep(2_000);
  const { http, webSocket } = await times();
  quiet = { http: p95(http), webSocket: p95(webSocket) };
}, 120_000);
afterAll(async () => {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(ended);
  await server?.dispose();
});

test.each(Object.keys(floods) as FloodName[])("other clients are served during a flood of %s", async (name) => {
  const args = [name, String(server.httpPort), hostile.credentials, hostile.account, String(niceness)];
  const flooder = start("flood-process.ts", args);
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, memory())), 50);
  try {
    await sleep(500);
    await times();
    const pids = [server.pid, good.pid!];
    const before = pids.map(schedule);
    const { seconds = 3 }: Flood = floods[name];
    await sleep(scaled(seconds, 5) * 1_000);
    const taken = await times();
    const slower = Math.max(...pids.map((pid, at) => slowness(before[at]!, schedule(pid))));
    const slow = { http: p95(taken.http), webSocket: p95(taken.webSocket) };
    if (process.env.FLOOD_REPORT) {
      const of = (kind: keyof Times) =>
        `${quiet[kind].toFixed(0)} -> ${slow[kind].toFixed(0)} ms (${taken[kind].length})`;
      process.stderr.write(
        `${name}: HTTP ${of("http")}, WebSocket ${of("webSocket")}, ${(most / 1e6).toFixed(0)} MB, ` +
          `${slower.toFixed(1)} times slower by others\n`,
      );
    }
    expect([flooder.exitCode, good.exitCode]).toEqual([null, null]);
    const limit = (usual: number) => (isNightly ? 100 : Math.max(150, 5 * usual) * slower);
    for (const kind of kinds) expect(slow[kind]).toBeLessThan(limit(quiet[kind]));
    expect(most).toBeLessThan(maxMemoryOctets);
  } finally {
    clearInterval(watch);
    flooder.kill("SIGKILL");
    await sleep(200);
  }
});
