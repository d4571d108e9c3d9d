import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { one } from "../../conformance/client/client.ts";
import { addToken } from "../../src/admin/tokens.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/core/database.ts";
import { Store } from "../../src/store/core/store.ts";
import { findAddressOwner, shareAccount } from "../../src/store/directory/directory.ts";
import { testAdmin } from "../support/admin.ts";
import { childrenOf } from "../support/children.ts";
import { until } from "../support/ports.ts";
import { createTestAccount } from "../support/postgres.ts";
import { isNightly, scaled } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** One account that many logins share: a change of it is pushed to all of their connections. */
const count = scaled(400, 10_000);
const perLogin = 50;
const rounds = 5;
/** Handshakes under way at once. */
const atOnce = 100;
const [address, password] = ["team@home.test", "correct horse"];

let server: TestServer;
const tokens: string[] = [];
const sockets: WebSocket[] = [];

beforeAll(async () => {
  server = await startServer({
    env: { POSTHORN_DEMO: "false", POSTHORN_WORKERS: "2" },
    ...{ startTimeoutMs: 110_000, isEmbedded: true },
  });
  await server.addAccount(address, password);
  const database = new Database({ ...server.connection, max: 4 }, silentLog);
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const team = (await findAddressOwner(database, address))!;
  for (let at = 0; at < count / perLogin; at++) {
    const login = `member${at}@home.test`;
    await createTestAccount(store, login);
    await shareAccount(store, login, team);
    tokens.push((await addToken(testAdmin(store), login, { label: "test", days: undefined })).secret);
  }
  await database.close();
}, 180_000);
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await server?.dispose();
});

/** The memory of the server's processes, the parent first, in octets. */
function memory(): number[] {
  const pids = [server.pid, ...childrenOf(server).values()];
  return pids.map((pid) => 1_024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]));
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const inMegabytes = (octets: number) => Math.round(octets / 1_000_000);

/** When each push arrived. */
let arrivals: number[] = [];

async function connectOne(at: number): Promise<void> {
  const authorization = `Bearer ${tokens[Math.floor(at / perLogin)]}`;
  const socket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/jmap/ws`, "jmap", {
    headers: { authorization },
    perMessageDeflate: false,
  });
  sockets.push(socket);
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  socket.on("error", reject);
  socket.on("open", () => {
    socket.send(JSON.stringify({ "@type": "WebSocketPushEnable", dataTypes: ["Mailbox"] }));
    const using = ["urn:ietf:params:jmap:core"];
    socket.send(JSON.stringify({ "@type": "Request", using, methodCalls: [["Core/echo", {}, "0"]] }));
  });
  socket.on("message", (data: Buffer) => {
    if (data.includes("StateChange")) arrivals.push(performance.now());
    else resolve();
  });
  await ready;
}

test(
  `a change reaches ${count} WebSockets on one server soon, and their memory is bounded`,
  async () => {
    const before = memory();
    const begun = performance.now();
    for (let at = 0; at < count; at += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, count - at) }, (_, index) => connectOne(at + index));
      await Promise.all(some);
    }
    const connectSeconds = (performance.now() - begun) / 1_000;
    const client = await server.login(address, password);
    const times: { first: number; median: number; last: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      arrivals = [];
      await one(client, "Mailbox/set", { create: { m: { name: `round ${round}` } } });
      const answered = performance.now();
      await until("a push to each", () => arrivals.length >= count, { timeoutMs: 20_000, everyMs: 5 });
      const [first, median, last] = [0, count / 2, count - 1].map((index) => arrivals[index]! - answered);
      times.push({ first: first!, median: median!, last: last! });
    }
    const after = memory();
    const each = (sum(after) - sum(before)) / count;
    const middle = (name: "first" | "median" | "last") => times.map((one) => one[name]).sort((a, b) => a - b)[2]!;
    console.log(
      `${count} WebSockets: opened in ${connectSeconds.toFixed(1)} s; ${before.map(inMegabytes)} MB before, ` +
        `${after.map(inMegabytes)} MB after, ${Math.round(each / 1_000)} kB each; from the answer to the pushes: ` +
        `first ${middle("first").toFixed(0)}, median ${middle("median").toFixed(0)}, last ${middle("last").toFixed(0)} ms`,
    );
    expect(middle("last")).toBeLessThan(scaled(2_000, 5_000));
    // With few, what the processes have just loaded outweighs the connections.
    if (isNightly) expect(each).toBeLessThan(100_000);
    expect(sockets.every(({ readyState }) => readyState === WebSocket.OPEN)).toBe(true);
  },
  scaled(30_000, 300_000),
);
