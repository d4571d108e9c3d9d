import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Client, one, ref } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult, QueryResult } from "../conformance/client/types.ts";
import { openWebSocket } from "../conformance/client/websocket.ts";
import { type DnsServer, startDns } from "./support/dns.ts";
import { message } from "./support/messages.ts";
import { type Collector, namesWithParents, type ReceivedSpan, startCollector } from "./support/otlp.ts";
import { startServer } from "./support/server.ts";
import { type SmtpSink, startSink } from "./support/smtp-sink.ts";

/** --traces on a whole server, with a collector on loopback. */
let collector: Collector;
let dns: DnsServer;
let sink: SmtpSink;
/** What the server printed, and what one printed that was not to trace. */
let output: string;
let untraced: string;
let spans: ReceivedSpan[];

/** Names each part of OpenTelemetry's SDK that a process loads. */
const hook = `import { registerHooks } from "node:module";
  registerHooks({ resolve(name, context, next) {
    if (/^@opentelemetry.(sdk|exporter)/.test(name)) process.stderr.write("loads " + name + "\\n");
    return next(name, context);
  } });`;
const hooked = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };

const password = "correct horse";
const subject = "Zugvogel 4711";
const body = "Pelikan und Kranich";
const owner = "alice@home.test";
const peer = "bob@remote.test";

beforeAll(async () => {
  [collector, sink] = await Promise.all([startCollector(), startSink()]);
  dns = await startDns({
    "remote.test": { MX: { preference: 10, exchange: "mx.remote.test" } },
    "mx.remote.test": { A: "127.0.0.1" },
  });
  const server = await startServer({
    isShared: true,
    env: {
      ...hooked,
      POSTHORN_TRACES: collector.url,
      POSTHORN_CACHE_BYTES: "0",
      POSTHORN_RESOLVER: `127.0.0.1:${dns.port}`,
      POSTHORN_MX_PORT: String(sink.port),
      POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
      POSTHORN_DEMO: "false",
    },
  });
  try {
    await server.addAccount(owner, password);
    const alice = await server.login(owner, password);
    await send(alice);
    await sink.waitFor(1);
    await receive(alice, server.smtpPort);
    const socket = await openWebSocket(alice);
    await socket.request([["Mailbox/get", { accountId: alice.accountId }, "m"]]);
    socket.close();
    await alice.fetch("/jmap/nothing", { method: "DELETE" });
    // Spans that wait are sent when the server stops.
    await server.stop();
    output = server.output;
    spans = collector.spans();
  } finally {
    await server.dispose();
  }
  const other = await startServer({ isShared: true, env: { ...hooked, POSTHORN_DEMO: "false" } });
  await other.dispose();
  untraced = other.output;
}, 120_000);
afterAll(async () => {
  await sink?.stop();
  await dns?.stop();
  await collector?.stop();
});

/** Writes and submits a mail in one request. */
async function send(alice: Client): Promise<void> {
  const { accountId } = alice;
  const { list } = await one<GetResult>(alice, "Mailbox/get", { accountId });
  const identities = await one<GetResult>(alice, "Identity/get", { accountId });
  const draft = {
    mailboxIds: { [list.find(({ role }) => role === "drafts")!.id as string]: true },
    from: [{ email: owner }],
    to: [{ email: peer }],
    subject,
    textBody: [{ partId: "t" }],
    bodyValues: { t: { value: body } },
  };
  const responses = await alice.call([
    ["Email/set", { accountId, create: { d: draft } }, "e"],
    ["EmailSubmission/set", { accountId, create: { s: { emailId: "#d", identityId: identities.list[0]!.id } } }, "s"],
  ]);
  expect(responses[1]![1]).toMatchObject({ created: { s: { id: expect.any(String) as string } } });
}

/** Takes a mail in and reads it. */
async function receive(alice: Client, port: number): Promise<void> {
  const data = await message({ from: peer, to: owner, subject, text: `${body}\r\n` });
  await deliver({ port, from: peer, to: owner, data });
  const { accountId } = alice;
  const filter = { text: "Kranich", from: "bob" };
  await vi.waitFor(
    async () => {
      const { ids } = await one<QueryResult>(alice, "Email/query", { accountId, filter });
      expect(ids).toHaveLength(1);
    },
    { timeout: 10_000, interval: 50 },
  );
  await alice.call([
    ["Email/query", { accountId, filter }, "q"],
    [
      "Email/get",
      { accountId, "#ids": ref("q", "Email/query", "/ids"), properties: ["bodyValues"], fetchTextBodyValues: true },
      "g",
    ],
    ["Email/get", { accountId, ids: null, properties: ["nonsense"] }, "wrong"],
  ]);
}

/** The only trace that has such a span. */
function traceWith(name: string, among = spans): ReceivedSpan[] {
  const ids = new Set(among.filter((span) => span.name === name).map(({ traceId }) => traceId));
  expect([...ids], name).toHaveLength(1);
  return spans.filter(({ traceId }) => ids.has(traceId));
}

const attributesOf = (trace: ReceivedSpan[], name: string) =>
  Object.fromEntries(
    trace
      .find((span) => span.name === name)!
      .attributes.map(({ key, value }) => [
        key,
        value.stringValue ?? value.arrayValue?.values.map((one) => one.stringValue) ?? Number(value.intValue),
      ]),
  );

test("a request that sends mail is one trace, from HTTP to the other server's reply", () => {
  const trace = traceWith("EmailSubmission/set");
  const names = namesWithParents(trace);
  expect(names.filter((name) => name.startsWith(" >"))).toEqual([" > POST api"]);
  expect(names).toEqual(
    expect.arrayContaining([
      "POST api > Email/set",
      "Email/set > object put",
      "Email/set > COMMIT",
      "POST api > EmailSubmission/set",
      "EmailSubmission/set > object read",
      "EmailSubmission/set > connect",
      "EmailSubmission/set > submissions.add",
      "EmailSubmission/set > COMMIT",
      "EmailSubmission/set > attempt",
      "attempt > deliveries.lease",
      "attempt > object read",
      "attempt > SMTP relay",
      "attempt > deliveries.noteSent",
    ]),
  );
  expect(attributesOf(trace, "POST api")).toEqual({ "http.request.method": "POST", "http.response.status_code": 200 });
  expect(attributesOf(trace, "SMTP relay")).toEqual({ "posthorn.recipients": 1, "posthorn.smtp.replies": ["250"] });
  expect(attributesOf(trace, "submissions.add")).toEqual({
    "db.system.name": "postgresql",
    "db.query.summary": "submissions.add",
  });
});

test("a span begins within the time of its parent, unless it is left for later", () => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const within = spans.filter(({ name, parentSpanId }) => parentSpanId && !["attempt", "deliver"].includes(name));
  expect(within.length).toBeGreaterThan(20);
  for (const { name, parentSpanId, startTimeUnixNano } of within) {
    const parent = byId.get(parentSpanId!)!;
    const start = millisecondOf(startTimeUnixNano);
    expect(start, `${name} in ${parent.name}`).toBeGreaterThanOrEqual(millisecondOf(parent.startTimeUnixNano) - 2);
    expect(start, `${name} in ${parent.name}`).toBeLessThanOrEqual(millisecondOf(parent.endTimeUnixNano) + 2);
  }
});

/** The SDK takes the beginning of a span from a clock of milliseconds, and its duration from a finer one. */
const millisecondOf = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1_000_000n);

test("an incoming message is one trace, from DATA to the account", () => {
  const trace = traceWith("SMTP DATA");
  const names = namesWithParents(trace);
  expect(names.filter((name) => name.startsWith(" >"))).toEqual([" > SMTP DATA"]);
  expect(names).toEqual(expect.arrayContaining(["SMTP DATA > object put", "SMTP DATA > deliver", "deliver > COMMIT"]));
  expect(names.filter((name) => name.includes("incoming.add"))).toEqual(["SMTP DATA > incoming.add"]);
});

test("calls that read are told one by one, and one that fails with its error", () => {
  const wrong = spans.filter(({ attributes }) => attributes.some(({ key }) => key === "error.type"));
  expect(wrong.map(({ name, status }) => [name, status.code])).toEqual([["Email/get", 0]]);
  const trace = spans.filter(({ traceId }) => traceId === wrong[0]!.traceId);
  const names = namesWithParents(trace).filter((name) => name.startsWith("POST api > Email/"));
  expect(names).toEqual(["POST api > Email/query", "POST api > Email/get", "POST api > Email/get"]);
  expect(namesWithParents(trace)).toContain("Email/get > object read");
});

test("a request over a WebSocket is a trace of its own; a path that is not served has a name that nobody chose", () => {
  expect(namesWithParents(traceWith("WebSocket api"))).toContain("WebSocket api > Mailbox/get");
  expect(attributesOf(traceWith("DELETE other"), "DELETE other")["http.response.status_code"]).toBe(404);
});

test("the process is named, and nothing that a user wrote or may keep secret is told", () => {
  expect(collector.resource()).toMatchObject({ "service.name": "posthorn", "service.version": expect.any(String) });
  expect(spans.length).toBeGreaterThan(50);
  const login = Buffer.from(`${owner}:${password}`).toString("base64");
  const secrets = [owner, peer, "alice", "bob", "home.test", "remote.test", password, login, subject, "Zugvogel"];
  for (const secret of [...secrets, body, "Kranich", "kranich", "nothing", "nonsense", "@", "127.0.0.1"]) {
    for (const sent of collector.bodies) expect(sent.includes(secret), secret).toBe(false);
  }
});

test("the SDK is loaded only where traces are wanted", () => {
  expect(output).toContain("loads @opentelemetry/sdk-trace");
  expect(untraced).toContain("serving");
  expect(untraced).not.toContain("loads @opentelemetry");
});

describe("with --workers", () => {
  let family: Collector;

  beforeAll(async () => {
    family = await startCollector();
    const env = { POSTHORN_TRACES: family.url, POSTHORN_WORKERS: "2", POSTHORN_DEMO: "false" };
    const server = await startServer({ isShared: true, env, startTimeoutMs: 100_000 });
    try {
      const requests = Array.from({ length: 10 }, () =>
        fetch(`http://127.0.0.1:${server.httpPort}/nothing`, { method: "DELETE", headers: { connection: "close" } }),
      );
      await Promise.all(requests);
      await server.stop();
    } finally {
      await server.dispose();
    }
  }, 120_000);
  afterAll(() => family?.stop());

  test("each process sends its own spans, once, and is named by its number", () => {
    expect(family.spans().filter(({ name }) => name === "DELETE other")).toHaveLength(10);
    const numbers = [...family.instances()].map((name) => / process (\d)$/.exec(name!)?.[1]);
    expect(numbers.toSorted()).toEqual(["1", "2"]);
  });
});
