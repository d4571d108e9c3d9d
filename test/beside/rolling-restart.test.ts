import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import { deliver, SmtpConnection, SmtpFailure } from "../../conformance/client/smtp.ts";
import type { GetResult, QueryResult } from "../../conformance/client/types.ts";
import { openWebSocket } from "../../conformance/client/websocket.ts";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";

const address = "ann@here.test";
const password = "sesame";
const authorization = `Basic ${Buffer.from(`${address}:${password}`).toString("base64")}`;

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startServer({
    env: { POSTHORN_WORKERS: "2", POSTHORN_MAX_CONCURRENT_REQUESTS: "32", POSTHORN_DEMO: "false" },
  });
  await server.addAccount(address, password);
  client = await server.login(address, password);
}, 120_000);
afterAll(() => server?.dispose());

const count = (event: string) => server.output.split(`"msg":"${event}"`).length - 1;

let isOver = false;

interface Outcome {
  done: number;
  failures: unknown[];
}

/** Calls `work` again and again until the test is over. */
async function loop(work: (at: number) => Promise<void>): Promise<Outcome> {
  const outcome: Outcome = { done: 0, failures: [] };
  for (let at = 0; !isOver; at++) {
    try {
      await work(at);
      outcome.done++;
    } catch (error) {
      outcome.failures.push((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    }
  }
  return outcome;
}

/** `slowlyMs`: how long the body takes to arrive. */
function call(agent: Agent, body: string, slowlyMs = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": Buffer.byteLength(body) };
    const headers = { authorization, "content-type": "application/json", ...length };
    const req = request(`${server.url}/jmap/api`, { method: "POST", headers, agent }, (res: IncomingMessage) => {
      let text = "";
      res.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      res.on("end", () => {
        if (res.statusCode === 200 && text.includes('"c0"')) resolve();
        else reject(new Error(`${res.statusCode} ${text}`));
      });
      res.on("error", reject);
    });
    req.on("error", reject);
    if (slowlyMs === 0) req.end(body);
    else {
      req.write(body.slice(0, 20));
      setTimeout(() => req.end(body.slice(20)), slowlyMs);
    }
  });
}

const using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"];
const echo = JSON.stringify({ using, methodCalls: [["Core/echo", {}, "c0"]] });

/** Over connections that stay open, and over one for each request, with bodies that come at once and slowly. */
function httpLoops(): Promise<Outcome>[] {
  const read = JSON.stringify({
    using,
    methodCalls: [["Mailbox/get", { accountId: client.accountId, ids: null }, "c0"]],
  });
  const kept = [0, 60, 700].map((pauseMs) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return loop(async () => {
      await call(agent, pauseMs === 0 ? read : echo);
      await sleep(pauseMs);
    });
  });
  const agent = new Agent({ keepAlive: false });
  const slow = Array.from({ length: 4 }, () => loop(() => call(agent, echo, 1_500)));
  return [...kept, loop(() => call(agent, echo)), ...slow];
}

const mail = (subject: string) => ({
  from: "a@remote.test",
  to: address,
  data: `From: a@remote.test\r\nSubject: ${subject}\r\n\r\nHello.\r\n`,
});

/** A connection for each mail, fast and slow; and, as large senders do, one for many, until the server sends the peer away with 421. */
function smtpLoops(accepted: string[]): Promise<Outcome>[] {
  const target = { port: server.smtpPort, timeoutMs: 10_000 };
  let kept: SmtpConnection | undefined;
  const single = loop(async (at) => {
    await deliver({ ...target, ...mail(`single ${at}`) });
    accepted.push(`single ${at}`);
    await sleep(20);
  });
  const many = loop(async (at) => {
    for (let isSent = false; !isSent; ) {
      kept ??= await SmtpConnection.greet(target);
      try {
        await kept.send(mail(`many ${at}`));
        isSent = true;
      } catch (error) {
        // RFC 5321 §3.8
        if (!(error instanceof SmtpFailure && error.code === 421 && error.stage.startsWith("MAIL"))) throw error;
        kept = undefined;
      }
    }
    accepted.push(`many ${at}`);
    await sleep(20);
  });
  const slow = loop(async (at) => {
    const connection = await SmtpConnection.greet(target);
    await sleep(300);
    await connection.command("MAIL FROM:<a@remote.test>", [250]);
    await connection.command(`RCPT TO:<${address}>`, [250]);
    await connection.command("DATA", [354]);
    connection.write(`From: a@remote.test\r\nSubject: slow ${at}\r\n\r\n`);
    await sleep(700);
    connection.write("Hello.\r\n.\r\n");
    await connection.expect("message", [250]);
    accepted.push(`slow ${at}`);
    await connection.quit();
  });
  return [single, many, slow];
}

interface Push {
  /** Of each connection, when the server ended it. */
  closed: { code: number; at: number }[];
  retries: number[];
}

/** A WebSocket that connects again whenever it is closed, and an event source that does so after the time it was told. */
async function watch(push: Push): Promise<void> {
  const sockets = (async () => {
    while (!isOver) {
      const socket = await openWebSocket(client);
      const ended = await Promise.race([socket.closed, until("the end", () => isOver, { timeoutMs: 60_000 })]);
      if (typeof ended === "number") push.closed.push({ code: ended, at: performance.now() });
      else socket.socket.terminate();
    }
  })();
  const streams = (async () => {
    while (!isOver) {
      const socket = connect(server.httpPort, "127.0.0.1").setEncoding("utf8");
      let text = "";
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("error", () => {});
      socket.write(
        `GET /jmap/eventsource/?types=*&closeafter=no&ping=0 HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`,
      );
      const ended = new Promise((resolve) => socket.once("close", resolve));
      await Promise.race([ended, until("the end", () => isOver, { timeoutMs: 60_000 })]);
      socket.destroy();
      if (isOver) return;
      const retry = Number(/^retry: (\d+)$/m.exec(text)?.[1]);
      push.retries.push(retry);
      await sleep(retry);
    }
  })();
  await Promise.all([sockets, streams]);
}

async function subjects(): Promise<string[]> {
  const found: string[] = [];
  for (let position = 0; ; position += 500) {
    const { ids } = await one<QueryResult>(client, "Email/query", { position, limit: 500 });
    if (ids.length === 0) return found;
    const { list } = await one<GetResult<{ subject: string }>>(client, "Email/get", { ids, properties: ["subject"] });
    found.push(...list.map(({ subject }) => subject));
  }
}

test("a rolling restart fails no request and loses no mail, and push connections come back one by one", async () => {
  const accepted: string[] = [];
  const push: Push = { closed: [], retries: [] };
  const loops = [...httpLoops(), ...smtpLoops(accepted)];
  const watching = watch(push);
  await sleep(1_500);
  process.kill(server.pid, "SIGUSR2");
  await until("the restart", () => count("all processes are restarted") === 1, { timeoutMs: 90_000 });
  await sleep(1_000);
  isOver = true;
  const outcomes = await Promise.all(loops);
  await watching;
  expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
  expect(Math.min(...outcomes.map(({ done }) => done))).toBeGreaterThan(3);
  expect(count("a process serves")).toBe(4);
  expect(count("a process died; replacing it")).toBe(0);
  expect(push.closed.length).toBeGreaterThan(0);
  expect(new Set(push.closed.map(({ code }) => code))).toEqual(new Set([1012]));
  expect(push.retries.length).toBeGreaterThan(0);
  expect(push.retries.every((retry) => retry >= 1_000 && retry <= 5_000)).toBe(true);
  const isThere = async () => {
    const all = new Set(await subjects());
    return accepted.every((subject) => all.has(subject));
  };
  await until("every accepted mail", isThere, { everyMs: 500 });
}, 120_000);
