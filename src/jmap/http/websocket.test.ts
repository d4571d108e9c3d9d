import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { keepEvents } from "../../../test/support/events.ts";
import type { Login } from "../../auth/login.ts";
import { FairTurns } from "../../base/fair-turns.ts";
import { silentLog } from "../../base/log.ts";
import { OwnPlaceLimit } from "../../base/own-counts.ts";
import { ProcessBus } from "../../push/bus.ts";
import { pushedTypes } from "../../push/states.ts";
import type { Store } from "../../store/core/store.ts";
import { Arrivals } from "../arrivals.ts";
import { RequestError } from "../errors.ts";
import { OctetPool, type Octets } from "../octets.ts";
import { Proxies } from "./address.ts";
import { gate } from "./gate.ts";
import { createWebSocketUpgrade, type WebSocketDeps } from "./websocket.ts";

const login: Login = {
  login: "ann@example.org",
  userId: 1,
  credential: "token:7",
  accounts: [{ id: 1, name: "ann@example.org", isPersonal: true, isReadOnly: false }],
};

let modseq = 5;
const store = {
  reader: () => ({
    standing: async () => ({
      epoch: 1,
      modseq,
      newest: Object.fromEntries(pushedTypes.map((type) => [type, modseq])),
    }),
  }),
} as unknown as Store;

type Message = Record<string, unknown>;
type Work = (body: Message, octets: Octets) => Promise<object>;

let bus: ProcessBus;
let draining: AbortController;
let deps: WebSocketDeps;
let work: Work;
let agents: (string | undefined)[];
let revoked: boolean;
let heard: ReturnType<typeof keepEvents>;
let server: Server;
let url: string;
let warnings: object[];
let clients: WebSocket[];

beforeEach(async () => {
  modseq = 5;
  agents = [];
  revoked = false;
  warnings = [];
  heard = keepEvents();
  clients = [];
  work = async (body) => ({ methodResponses: body.methodCalls, sessionState: "s" });
  bus = new ProcessBus({ store, log: silentLog });
  draining = new AbortController();
  server = createServer();
  gate(server, new FairTurns());
  deps = {
    bus,
    log: { ...silentLog, warn: (fields: object) => void warnings.push(fields) },
    events: heard.events,
    draining: draining.signal,
    authenticate: async (header) => {
      if (header === "Bearer busy") return "throttled";
      return (header === "Bearer good" || header === "Basic good") && !revoked ? login : undefined;
    },
    random: randomBytes,
    processRequest: (_login, body, octets, agent) => {
      agents.push(agent);
      return work(body as Message, octets);
    },
    inTurn: (_login, _connection, run) => new OctetPool(10_000_000, 10_000_000).leased(run),
    arrivals: new Arrivals(10_000_000, 10_000_000),
    proxies: new Proxies({ trusted: [], publicUrl: "", log: silentLog }),
    trustedOrigins: ["https://webmail.example"],
    maxSizeRequest: 100_000,
    places: new OwnPlaceLimit(2),
  };
  server.on("upgrade", createWebSocketUpgrade(deps));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/jmap/ws`;
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  server.close();
  await bus.close();
});

function connect(options: { protocols?: string[]; token?: string } = {}) {
  const { protocols = ["jmap"], token = "good" } = options;
  const headers = { Authorization: `Bearer ${token}`, "User-Agent": "Mailer/1" };
  const client = new WebSocket(url, protocols, { headers });
  clients.push(client);
  client.on("error", () => {});
  return client;
}

/** A connection whose messages are read one by one. */
async function open() {
  const client = connect();
  const queue: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  client.on("message", (data, isBinary) => {
    expect(isBinary).toBe(false);
    const message = JSON.parse(String(data)) as Message;
    const wake = waiting.shift();
    if (wake) wake(message);
    else queue.push(message);
  });
  await once(client, "open");
  return {
    client,
    send: (message: unknown) => client.send(typeof message === "string" ? message : JSON.stringify(message)),
    next: (): Promise<Message> => {
      const message = queue.shift();
      return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
    },
    closed: once(client, "close").then(([code, reason]) => ({ code, reason: String(reason) })),
  };
}

async function refusal(client: WebSocket) {
  const [, response] = await once(client, "unexpected-response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

const echo = { using: ["urn:ietf:params:jmap:core"], methodCalls: [["Core/echo", { a: 1 }, "0"]] };

describe("the handshake, RFC 8887 §4.1", () => {
  it("speaks the subprotocol jmap, whatever else is offered", async () => {
    const client = connect({ protocols: ["other", "jmap"] });
    await once(client, "open");
    expect(client.protocol).toBe("jmap");
  });

  it("refuses a client that doesn't ask for it", async () => {
    expect(await refusal(connect({ protocols: [] }))).toMatchObject({ status: 400, body: { status: 400 } });
    expect(await refusal(connect({ protocols: ["other"] }))).toMatchObject({ status: 400 });
  });

  it("needs credentials", async () => {
    const { status, headers, body } = await refusal(connect({ token: "bad" }));
    expect({ status, body }).toMatchObject({ status: 401, body: { type: "about:blank", status: 401 } });
    expect(headers["www-authenticate"]).toMatch(/^Basic .*, Bearer /);
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it("requires one Host field", async () => {
    const { port } = server.address() as AddressInfo;
    const handshake = (host: string) =>
      new Promise<string>((resolve) => {
        const socket = connectTcp(port, "127.0.0.1", () =>
          socket.write(
            `GET /jmap/ws HTTP/1.1\r\n${host}Authorization: Bearer good\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\nSec-WebSocket-Protocol: jmap\r\n\r\n`,
          ),
        );
        socket.once("data", (chunk) => {
          resolve(String(chunk).slice(9, 12));
          socket.destroy();
        });
      });
    expect(await handshake("Host: x\r\n")).toBe("101");
    for (const host of ["", "Host: x\r\nHost: x\r\n", "Host: x/y\r\n"]) expect(await handshake(host)).toBe("400");
  });

  it("refuses Basic credentials from a page of another origin, since a browser may have added them", async () => {
    const from = (origin: string, authorization: string) => {
      const client = new WebSocket(url, ["jmap"], { headers: { authorization }, origin });
      clients.push(client);
      client.on("error", () => {});
      return client;
    };
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
      expect(await refusal(from(origin, "Basic good"))).toMatchObject({ status: 403 });
      const { body } = await refusal(from(origin, "Basic good"));
      expect(body.detail).toContain(url.replace(/^ws(.*)\/jmap\/ws$/, "http$1"));
      expect(body.detail).toContain("--public-url");
    }
    const options = "--public-url, --trusted-origins";
    expect(warnings).toMatchObject([{ origin: "https://evil.example", options }, { origin: "null" }, { options }]);
    const trusted = from("https://webmail.example", "Basic good");
    await once(trusted, "open");
    trusted.close();
    await once(trusted, "close");
    await once(from("https://evil.example", "Bearer good"), "open");
    await once(from(url.replace("ws", "http"), "Basic good"), "open");
  });

  it("is refused with 429 while guesses are throttled", async () => {
    expect(await refusal(connect({ token: "busy" }))).toMatchObject({ status: 429 });
  });

  it("opens at most the login's limit", async () => {
    const [first] = await Promise.all([open(), open()]);
    expect(await refusal(connect())).toMatchObject({ status: 429 });
    first.client.close();
    await first.closed;
    await open();
  });
});

describe("requests, RFC 8887 §4.3", () => {
  it("are answered whole, in text frames, with strings of many megabytes", async () => {
    const text = "Grüße 😀\n".repeat(300_000);
    const { send, next } = await open();
    work = async ({ methodCalls }, octets) => {
      if (!methodCalls) octets.take(text.length);
      return { methodResponses: methodCalls, text: methodCalls ? "" : text };
    };
    send({ "@type": "Request", id: "long" });
    send({ "@type": "Request", id: "short", ...echo });
    const answers = [await next(), await next()];
    expect(answers.map(({ requestId }) => requestId).sort()).toEqual(["long", "short"]);
    expect(answers.find(({ requestId }) => requestId === "long")!.text === text).toBe(true);
  });

  it("are answered with their id, or without one", async () => {
    const { send, next } = await open();
    send({ "@type": "Request", id: "R1", ...echo });
    const answer = { "@type": "Response", methodResponses: echo.methodCalls, sessionState: "s" };
    expect(await next()).toEqual({ ...answer, requestId: "R1" });
    send({ "@type": "Request", ...echo });
    expect(await next()).toEqual(answer);
  });

  it("reach the API without the members that WebSocket adds", async () => {
    const bodies: Message[] = [];
    work = async (body) => {
      bodies.push(body);
      return {};
    };
    const { send, next } = await open();
    send({ "@type": "Request", id: "R1", createdIds: { a: "b" }, ...echo });
    await next();
    expect(bodies).toEqual([{ createdIds: { a: "b" }, ...echo }]);
    expect(agents).toEqual(["Mailer/1"]);
  });

  it("may overtake each other", async () => {
    const slow = Promise.withResolvers<object>();
    work = (body) => (body.createdIds ? slow.promise : Promise.resolve({}));
    const { send, next } = await open();
    send({ "@type": "Request", id: "slow", createdIds: {}, ...echo });
    send({ "@type": "Request", id: "fast", ...echo });
    expect((await next()).requestId).toBe("fast");
    slow.resolve({});
    expect((await next()).requestId).toBe("slow");
  });

  it("that are refused name their request and leave the connection open", async () => {
    work = async () => {
      throw new RequestError("limit", 400, "Too many requests at once.", "maxConcurrentRequests");
    };
    const { send, next } = await open();
    send({ "@type": "Request", id: "R1", ...echo });
    expect(await next()).toEqual({
      "@type": "RequestError",
      requestId: "R1",
      type: "urn:ietf:params:jmap:error:limit",
      status: 400,
      detail: "Too many requests at once.",
      limit: "maxConcurrentRequests",
    });
    work = async () => {
      throw new Error("SELECT secret");
    };
    send({ "@type": "Request", id: "R2", ...echo });
    const failure = await next();
    expect(failure).toMatchObject({ "@type": "RequestError", requestId: "R2", status: 500 });
    expect(JSON.stringify(failure)).not.toContain("secret");
  });

  it.each([
    ["{", "notJSON", null],
    ['{"@type":"Request","id":"a","id":"b"}', "notJSON", null],
    ["[1]", "notRequest", null],
    ["null", "notRequest", null],
    ["{}", "notRequest", null],
    ['{"@type":"Response","id":"x"}', "notRequest", "x"],
    ['{"@type":"Request","id":7}', "notRequest", null],
    ['{"@type":"WebSocketPushEnable","dataTypes":"Email"}', "notRequest", null],
    ['{"@type":"WebSocketPushEnable","dataTypes":null,"pushState":7}', "notRequest", null],
  ])("%s is refused with %s", async (text, problem, requestId) => {
    const { send, next } = await open();
    send(text);
    expect(await next()).toMatchObject({
      "@type": "RequestError",
      requestId,
      type: `urn:ietf:params:jmap:error:${problem}`,
      status: 400,
    });
    send({ "@type": "Request", id: "after", ...echo });
    expect((await next()).requestId).toBe("after");
  });

  it("are refused with 503 while nothing can be stored", async () => {
    work = () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
    const { send, next } = await open();
    send({ "@type": "Request", id: "R1", ...echo });
    const detail = "Nothing can be stored at the moment: try again later.";
    expect(await next()).toMatchObject({ "@type": "RequestError", requestId: "R1", status: 503, detail });
  });

  it("over the limit are refused, and far over it end the connection", async () => {
    const { send, next, closed } = await open();
    send({ "@type": "Request", pad: "x".repeat(100_001) });
    expect(await next()).toMatchObject({ "@type": "RequestError", requestId: null, limit: "maxSizeRequest" });
    send("x".repeat(2_000_000));
    expect((await closed).code).toBe(1009);
  });

  it("come in text frames", async () => {
    const { client, closed } = await open();
    client.send(Buffer.from(JSON.stringify({ "@type": "Request", ...echo })));
    expect((await closed).code).toBe(1003);
  });

  it("wait when their answers aren't read", async () => {
    let answered = 0;
    work = async () => {
      answered++;
      return { pad: "x".repeat(1_000_000 + answered) };
    };
    const { client, send } = await open();
    client.pause();
    for (let index = 0; index < 200; index++) send({ "@type": "Request", pad: "y".repeat(50_000), ...echo });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(answered).toBeLessThan(200);
    client.resume();
    await expect.poll(() => answered, { timeout: 20_000 }).toBe(200);
  });
});

describe("pushes, RFC 8887 §4.3.5", () => {
  it("come once enabled, with a push state, until disabled", async () => {
    const { send, next } = await open();
    send({ "@type": "WebSocketPushEnable", dataTypes: ["Email"] });
    send({ "@type": "Request", id: "R1", ...echo });
    await next();
    bus.publish({ accountId: 1, changed: { Email: "1-6", Mailbox: "1-6" } });
    expect(await next()).toEqual({
      "@type": "StateChange",
      changed: { u1: { Email: "1-6" } },
      pushState: expect.any(String),
    });
    expect(heard.told).toEqual([["pushSent", { channel: "websocket" }]]);
    send({ "@type": "WebSocketPushDisable" });
    send({ "@type": "Request", id: "R2", ...echo });
    expect((await next()).requestId).toBe("R2");
    bus.publish({ accountId: 1, changed: { Email: "1-7" } });
    send({ "@type": "Request", id: "R3", ...echo });
    expect((await next()).requestId).toBe("R3");
  });

  it("begin with the changes since an older push state", async () => {
    const first = await open();
    first.send({ "@type": "WebSocketPushEnable", dataTypes: null, pushState: null });
    first.send({ "@type": "Request", ...echo });
    await first.next();
    bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    const { pushState } = await first.next();
    modseq = 8;
    const second = await open();
    second.send({ "@type": "WebSocketPushEnable", dataTypes: ["Email", "Thread"], pushState });
    expect((await second.next()).changed).toEqual({ u1: { Email: "1-8", Thread: "1-8" } });
  });

  it("follow the last of many choices", async () => {
    const { send, next } = await open();
    for (let index = 0; index < 50; index++) send({ "@type": "WebSocketPushEnable", dataTypes: ["Mailbox"] });
    send({ "@type": "WebSocketPushEnable", dataTypes: ["Thread"] });
    send({ "@type": "Request", ...echo });
    await next();
    bus.publish({ accountId: 1, changed: { Mailbox: "1-6", Email: "1-6", Thread: "1-6" } });
    expect((await next()).changed).toEqual({ u1: { Thread: "1-6" } });
  });
});

describe("a connection ends", () => {
  it("when its credential is revoked, not when another of its login is", async () => {
    const { send, next, closed } = await open();
    bus.publish({ credential: "ann@example.org" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    send({ "@type": "Request", id: "R1", ...echo });
    expect((await next()).requestId).toBe("R1");
    revoked = true;
    bus.publish({ credential: "ann@example.org" });
    expect(await closed).toEqual({ code: 1008, reason: "credentials changed: authenticate again" });
  });

  it("at the next request if its credentials are no longer valid", async () => {
    const { send, closed } = await open();
    revoked = true;
    send({ "@type": "Request", ...echo });
    expect((await closed).code).toBe(1008);
  });

  it("when the server drains, after its answers", async () => {
    const slow = Promise.withResolvers<object>();
    work = () => slow.promise;
    const { send, next, closed } = await open();
    send({ "@type": "Request", id: "R1", ...echo });
    await new Promise((resolve) => setTimeout(resolve, 50));
    draining.abort();
    slow.resolve({});
    expect((await next()).requestId).toBe("R1");
    expect((await closed).code).toBe(1001);
    expect(await refusal(connect())).toMatchObject({ status: 503 });
  });

  it("at a random moment of a restart, after its answers, and until then all is served", async () => {
    const slow = Promise.withResolvers<object>();
    work = () => slow.promise;
    const { send, next, closed } = await open();
    draining.abort("restart");
    send({ "@type": "Request", id: "R1", ...echo });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    slow.resolve({});
    expect((await next()).requestId).toBe("R1");
    expect((await closed).code).toBe(1012);
    const late = await open();
    expect((await late.closed).code).toBe(1012);
  });

  it("when the client gives no sign of life", async () => {
    deps.pingIntervalMs = 50;
    const client = new WebSocket(url, ["jmap"], { headers: { Authorization: "Bearer good" }, autoPong: false });
    clients.push(client);
    await once(client, "close");
  });
});
