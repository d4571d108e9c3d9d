import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";

const using = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"];
const headers = {
  authorization: `Basic ${Buffer.from("ann@drain.example:sesame").toString("base64")}`,
  "content-type": "application/json",
};
type Json = Record<string, unknown>;
type Call = [name: string, args: Json, callId: string];

let server: TestServer;
let accountId: string;

beforeAll(async () => {
  server = await startServer({ isShared: true });
  await server.addAccount("ann@drain.example", "sesame");
  const session = (await (await fetch(`${server.url}/.well-known/jmap`, { headers })).json()) as Json;
  accountId = Object.keys(session.accounts as Json)[0]!;
}, 120_000);
afterAll(() => server?.dispose());

/** Rejects with the error code when the connection gives no answer. */
function call(agent: Agent, methodCalls: Call[]): Promise<{ methodResponses: Call[] }> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject((error as NodeJS.ErrnoException).code ?? error.message);
    const req = request(`${server.url}/jmap/api`, { method: "POST", headers, agent }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      res.on("end", () => resolve(JSON.parse(text) as { methodResponses: Call[] }));
      res.on("error", fail);
    });
    req.on("error", fail);
    req.end(JSON.stringify({ using, methodCalls }));
  });
}

async function names(): Promise<string[]> {
  const agent = new Agent();
  const { methodResponses } = await call(agent, [["Mailbox/get", { accountId, ids: null, properties: ["name"] }, "0"]]);
  return (methodResponses[0]![1].list as { name: string }[]).map(({ name }) => name);
}

/** Creates mailboxes on one connection until there is no answer; returns the names of those created, and the error. */
async function makeMailboxes(client: number): Promise<{ created: string[]; error: unknown }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const created: string[] = [];
  for (let count = 0; ; count++) {
    const name = `box ${client} ${count}`;
    try {
      const { methodResponses } = await call(agent, [["Mailbox/set", { accountId, create: { a: { name } } }, "0"]]);
      if (methodResponses[0]![1].created) created.push(name);
    } catch (error) {
      return { created, error };
    }
  }
}

/** A request whose body comes in two halves. `finish` sends the second one and resolves with the answer. */
async function slowRequest(): Promise<{ finish: () => Promise<string> }> {
  const body = JSON.stringify({ using, methodCalls: [["Core/echo", { slow: true }, "0"]] });
  const socket = connect(server.httpPort, "127.0.0.1").setEncoding("utf8");
  let answer = "";
  socket.on("data", (text) => {
    answer += text;
  });
  const fields = Object.entries({ host: "x", ...headers, "content-length": body.length });
  socket.write(`POST /jmap/api HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  socket.write(body.slice(0, 20));
  await sleep(200);
  const finish = async () => {
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.write(body.slice(20));
    await ended;
    return answer;
  };
  return { finish };
}

test("after SIGTERM, requests under way are answered, and all listeners close at the same time", async () => {
  const before = await names();
  const slow = await slowRequest();
  const clients = [1, 2, 3, 4].map(makeMailboxes);
  await sleep(700);
  const stopped = server.stop();
  await sleep(400);
  const refused = await new Promise<string | undefined>((resolve) => {
    connect(server.smtpPort, "127.0.0.1")
      .once("error", (error: NodeJS.ErrnoException) => resolve(error.code))
      .once("connect", () => resolve("connected"));
  });
  expect(refused).toBe("ECONNREFUSED");
  const outcomes = await Promise.all(clients);
  expect(outcomes.map(({ error }) => error)).toEqual(Array(4).fill("ECONNREFUSED"));
  expect(server.running).toBe(true);
  const answer = await slow.finish();
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*"slow":true/i);
  const began = Date.now();
  await stopped;
  expect(Date.now() - began).toBeLessThan(3_000);

  await server.start();
  const created = outcomes.flatMap((outcome) => outcome.created);
  expect(created.length).toBeGreaterThan(5);
  expect((await names()).sort()).toEqual([...before, ...created].sort());
});
