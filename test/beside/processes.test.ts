import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import { deliver, SmtpConnection } from "../../conformance/client/smtp.ts";
import type { GetResult, QueryResult } from "../../conformance/client/types.ts";
import { childrenOf, logged } from "../support/children.ts";
import { until } from "../support/ports.ts";
import { isNightly } from "../support/scale.ts";
import { startServer, type TestServer } from "../support/server.ts";

const address = "ann@here.test";
const password = "sesame";
const authorization = `Basic ${Buffer.from(`${address}:${password}`).toString("base64")}`;

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startServer({
    env: { POSTHORN_WORKERS: "2", POSTHORN_DEMO: "false", POSTHORN_MAX_CONCURRENT_REQUESTS: "2" },
    startTimeoutMs: 110_000,
  });
  await server.addAccount(address, password);
  client = await server.login(address, password);
}, 120_000);
afterAll(() => server?.dispose());

/** For what waits until a process has started. */
const patient = { timeoutMs: 25_000 };

const children = () => childrenOf(server);

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

const message = (subject: string) => `From: a@remote.test\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
const mail = (subject: string) => ({ from: "a@remote.test", to: address, data: message(subject) });

async function subjects(): Promise<string[]> {
  const { ids } = await one<QueryResult>(client, "Email/query", {});
  const { list } = await one<GetResult<{ subject: string }>>(client, "Email/get", { ids, properties: ["subject"] });
  return list.map(({ subject }) => subject);
}

async function metric(name: string): Promise<number[]> {
  const text = await (await fetch(server.metricsUrl)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name) && !line.startsWith("#"));
  return lines.map((line) => Number(line.split(" ").at(-1)));
}

/** An HTTP request whose body comes in two halves: `finish` sends the second one and resolves with the answer's status. */
function slowRequest(): { finish: () => Promise<number> } {
  const body = JSON.stringify({ using: ["urn:ietf:params:jmap:core"], methodCalls: [["Core/echo", {}, "0"]] });
  const socket = connect(server.httpPort, "127.0.0.1").setEncoding("utf8");
  socket.on("error", () => {});
  const { promise: status, resolve } = Promise.withResolvers<number>();
  socket.once("data", (text: string) => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])));
  socket.once("close", () => resolve(0));
  const fields = { host: "x", authorization, "content-type": "application/json", connection: "close" };
  const lines = Object.entries({ ...fields, "content-length": body.length }).map((entry) => `${entry.join(": ")}\r\n`);
  socket.write(`POST /jmap/api HTTP/1.1\r\n${lines.join("")}\r\n${body.slice(0, 20)}`);
  const finish = () => {
    socket.write(body.slice(20));
    return status;
  };
  return { finish };
}

test("connections are shared evenly, and each process logs what it does under its number", async () => {
  const open = await Promise.all(
    Array.from({ length: 10 }, () => SmtpConnection.greet({ port: server.smtpPort, timeoutMs: 10_000 })),
  );
  await Promise.all(open.map((connection, at) => connection.send(mail(`even ${at}`))));
  const accepted = () => logged(server, "mail in").map((line) => line.process);
  await until("the log", () => accepted().length === 10);
  expect(accepted().sort()).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  await Promise.all(open.map((connection) => connection.quit()));
  await until("delivery", async () => (await subjects()).length === 10);
});

test("one scrape has the metrics of all processes, and the depths of the queues once", async () => {
  expect(await metric('posthorn_mail_in_messages_total{outcome="accepted"}')).toEqual([10]);
  expect(await metric("posthorn_incoming_messages")).toEqual([0]);
  const [cpu] = await metric("process_cpu_seconds_total");
  expect(cpu).toBeGreaterThan(0.5);
});

test("limits hold for all processes together: each may go beyond by one at most", async () => {
  // A request that is refused after a second is told so when its body is whole.
  const requests = Array.from({ length: 6 }, slowRequest);
  await sleep(4_000);
  const statuses = (await Promise.all(requests.map(({ finish }) => finish()))).sort();
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const accepted = statuses.filter((status) => status === 200).length;
  expect(accepted).toBeGreaterThanOrEqual(2);
  expect(accepted).toBeLessThanOrEqual(3);
});

test("wrong passwords are counted for all processes together", async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 10; attempt++) {
    const wrong = `Basic ${Buffer.from(`bob@here.test:wrong ${attempt}`).toString("base64")}`;
    const agent = new Agent();
    const status = await new Promise<number>((resolve, reject) => {
      const req = request(`${server.url}/jmap/session`, { headers: { authorization: wrong }, agent }, (res) => {
        res.resume().once("end", () => resolve(res.statusCode!));
      });
      req.on("error", reject).end();
    });
    statuses.push(status);
    agent.destroy();
  }
  expect(statuses.slice(0, 6)).toEqual(Array(6).fill(401));
  expect(statuses.slice(6)).toEqual(Array(4).fill(429));
});

test("a change made through one process is pushed by the other", async () => {
  const pushed: string[] = [];
  const streams: Socket[] = [];
  for (let count = 0; count < 2; count++) {
    const socket = connect(server.httpPort, "127.0.0.1").setEncoding("utf8");
    socket.on("data", (text: string) => {
      if (text.includes("event: state")) pushed.push(text);
    });
    socket.write(
      `GET /jmap/eventsource/?types=*&closeafter=no&ping=0 HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`,
    );
    streams.push(socket);
  }
  await sleep(500);
  await one(client, "Mailbox/set", { create: { a: { name: "pushed" } } });
  await until("both pushes", () => pushed.length === 2, { timeoutMs: 5_000 });
  for (const socket of streams) socket.destroy();
});

test("a revoked password is refused by all processes at once", async () => {
  await server.addAccount("eve@here.test", "before");
  const status = async (secret: string) => {
    const headers = {
      authorization: `Basic ${Buffer.from(`eve@here.test:${secret}`).toString("base64")}`,
      connection: "close",
    };
    const response = await fetch(`${server.url}/jmap/session`, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  for (let count = 0; count < 4; count++) expect(await status("before")).toBe(200);
  const changed = await server.cli(["account", "passwd", "eve@here.test", "--password-stdin"], "after\n");
  expect(changed.code).toBe(0);
  await until("both forget", async () => (await status("before")) === 401 && (await status("before")) === 401);
});

test("a child that is killed amid DATA is replaced, its peer can try again, and nothing acknowledged is lost", async () => {
  const acknowledged: string[] = [];
  const [one, other] = [
    await SmtpConnection.greet({ port: server.smtpPort, timeoutMs: 10_000 }),
    await SmtpConnection.greet({ port: server.smtpPort, timeoutMs: 10_000 }),
  ];
  for (const [at, connection] of [one, other].entries()) {
    for (let count = 0; count < 20; count++) {
      await connection.send(mail(`before ${at} ${count}`));
      acknowledged.push(`before ${at} ${count}`);
    }
    await connection.command("MAIL FROM:<a@remote.test>", [250]);
    await connection.command(`RCPT TO:<${address}>`, [250]);
    await connection.command("DATA", [354]);
    connection.write(`Subject: amid ${at}\r\n\r\nHello`);
  }
  const accepted = async () => (await metric('posthorn_mail_in_messages_total{outcome="accepted"}'))[0]!;
  const before = await accepted();
  const victim = children().get(2)!;
  process.kill(victim, "SIGKILL");
  const outcomes = await Promise.all(
    [one, other].map(async (connection, at) => {
      await sleep(200);
      connection.write(".\r\n.\r\n");
      const reply = await connection.read().catch(() => undefined);
      if (reply?.code === 250) acknowledged.push(`amid ${at}`);
      return reply?.code;
    }),
  );
  expect(outcomes.sort()).toEqual([250, undefined]);
  await deliver({ port: server.smtpPort, ...mail("again") });
  acknowledged.push("again");
  expect(logged(server, "a process died; replacing it")).toMatchObject([
    { process: 2, pid: victim, signal: "SIGKILL" },
  ]);
  await until("a new child", () => children().get(2) !== victim, patient);
  const isThere = async () => {
    const all = new Set(await subjects());
    return acknowledged.every((subject) => all.has(subject));
  };
  await until("every acknowledged mail", isThere, { timeoutMs: 25_000, everyMs: 500 });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  // What the dead child had counted stays.
  expect(await accepted()).toBeGreaterThan(before);
}, 60_000);

test.runIf(isNightly)(
  "a child that hangs is killed after half a minute and replaced, and nothing acknowledged is lost",
  async () => {
    const connections = [
      await SmtpConnection.greet({ port: server.smtpPort, timeoutMs: 60_000 }),
      await SmtpConnection.greet({ port: server.smtpPort, timeoutMs: 60_000 }),
    ];
    for (const [at, connection] of connections.entries()) await connection.send(mail(`before it hangs ${at}`));
    const victim = children().get(2)!;
    process.kill(victim, "SIGSTOP");
    const begun = performance.now();
    const outcomes = await Promise.allSettled(connections.map((connection) => connection.command("NOOP", [250])));
    expect(performance.now() - begun).toBeGreaterThan(25_000);
    expect(performance.now() - begun).toBeLessThan(45_000);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(logged(server, "a process hangs; killing it")).toMatchObject([{ process: 2, pid: victim }]);
    await until("a new child", () => children().get(2) !== victim, patient);
    const hasAll = async () => {
      const all = new Set(await subjects());
      return all.has("before it hangs 0") && all.has("before it hangs 1");
    };
    await until("every acknowledged mail", hasAll, { timeoutMs: 25_000, everyMs: 500 });
  },
  120_000,
);

test("a child that dies again and again is started again after pauses that grow", async () => {
  const before = logged(server, "a process died; replacing it").length;
  for (let count = 0; count < 4; count++) {
    const pid = await until("a child", () => [children().get(2)!].find(isAlive), patient);
    process.kill(pid, "SIGKILL");
    await until("its end", () => !isAlive(pid));
  }
  await until("the last one", () => isAlive(children().get(2)!), patient);
  const pauses = logged(server, "a process died; replacing it")
    .slice(before)
    .map(({ pauseMs }) => pauseMs as number);
  expect(pauses).toHaveLength(4);
  for (const [at, pauseMs] of pauses.slice(1).entries()) expect(pauseMs).toBe(2 * pauses[at]! || 500);
}, 90_000);

test("after SIGTERM requests under way in all processes are answered, and nothing is left behind", async () => {
  const slow = [slowRequest(), slowRequest()];
  const pids = [server.pid, ...children().values()];
  await sleep(300);
  const stopped = server.stop();
  await sleep(500);
  expect(await Promise.all(slow.map(({ finish }) => finish()))).toEqual([200, 200]);
  await stopped;
  expect(pids.filter(isAlive)).toEqual([]);
  await server.start();
}, 60_000);

test("when a child cannot start, the start fails, with its reason", async () => {
  await server.stop();
  const { code, stderr } = await server.cli(["serve", "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"]);
  expect(code).toBe(1);
  const complaints = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  expect(complaints).toEqual([expect.stringMatching(/^posthorn: the TLS certificate cannot be read: ENOENT/)]);
  await server.start();
}, 60_000);

test("when the parent is killed its children end, and the next start takes over", async () => {
  await deliver({ port: server.smtpPort, ...mail("last") });
  const pids = [...children().values()];
  await server.kill();
  await until("the children's end", () => !pids.some(isAlive), { timeoutMs: 15_000 });
  await server.start();
  client = await server.login(address, password);
  await until("the last mail", async () => (await subjects()).includes("last"));
}, 60_000);
