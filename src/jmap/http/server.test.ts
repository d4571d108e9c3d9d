import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { keepEvents } from "../../../test/support/events.ts";
import { testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import type { Login } from "../../auth/login.ts";
import { encodeId } from "../../base/ids.ts";
import { silentLog } from "../../base/log.ts";
import { OwnPlaceLimit } from "../../base/own-counts.ts";
import { Ingest } from "../../mail/deliver/ingest.ts";
import { Blobs } from "../../store/blobs/blobs.ts";
import { DiskObjects } from "../../store/blobs/objects/disk.ts";
import { setQuota } from "../../store/mail/quota.ts";
import { capabilities } from "../capability-names.ts";
import { RequestError } from "../errors.ts";
import { defaultLimits } from "../method.ts";
import { methods } from "../methods.ts";
import { createRegistry } from "../registry.ts";
import { Proxies } from "./address.ts";
import type { HttpDeps } from "./deps.ts";
import { Concurrency } from "./limits.ts";
import { createHttpServer } from "./server.ts";
import { buildSession } from "./session.ts";

/** An account that was removed, although a login still names it. */
const removed = 987_654;
const limits = { ...defaultLimits, maxSizeRequest: 5000, maxSizeUpload: 10_000, maxCallsInRequest: 3 };
let base: string;
let folder: string;
let account: string;
let other: string;
let full: string;
let deps: HttpDeps;
let server: ReturnType<typeof createHttpServer>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "posthorn-http-"));
  const store = await createTestStore();
  const login = testLogin([await createTestAccount(store), await createTestAccount(store)]);
  account = encodeId("u", login.userId);
  const { id: fullId } = login.accounts[1]!;
  full = encodeId("u", fullId);
  await store.write(fullId, "server", (tx) => setQuota(tx, 10));
  const otherId = await createTestAccount(store);
  other = encodeId("u", otherId);
  const guest = testLogin([otherId, login.userId, removed], { login: "guest" });
  const services = testServices(store, { limits });
  const objects = new DiskObjects({ folder, clock: store.clock, random: services.random });
  services.blobs = new Blobs({ objects, clock: store.clock, random: services.random, cacheBytes: 0 });
  services.ingest = new Ingest(store);
  deps = {
    services,
    registry: createRegistry(methods),
    requests: new Concurrency("maxConcurrentRequests", new OwnPlaceLimit(limits.maxConcurrentRequests)),
    uploads: new Concurrency("maxConcurrentUpload", new OwnPlaceLimit(limits.maxConcurrentUpload)),
    publicUrl: "",
    pushUrl: "",
    relaxedUsing: false,
    authenticator: {
      authenticate: async (header): Promise<Login | "throttled" | undefined> =>
        header === "Bearer good"
          ? login
          : header === "Bearer guest"
            ? guest
            : header === "Bearer often"
              ? "throttled"
              : undefined,
    },
    proxies: new Proxies({ trusted: ["127.0.0.1/32"], publicUrl: "", log: silentLog }),
    ready: async () => ({ isReady: true, text: "ready\n" }),
    isJmapServed: true,
    push: {
      upgrade: (_req, socket) => void socket.destroy(),
      eventSource: async () => {
        throw new RequestError("about:blank", 404, "There is no event source.");
      },
    },
  };
  server = createHttpServer(deps);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});

const authorization = { Authorization: "Bearer good" };
function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return fetch(base + path, { method, headers: { ...authorization, ...headers } });
}
function post(body: string | object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/jmap/api`, {
    method: "POST",
    headers: { ...authorization, "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}
const using = [capabilities.core, capabilities.mail];
const echo = (args: object) => ({ using, methodCalls: [["Core/echo", args, "c"]] });

test("the session has absolute URLs and all that the RFCs require", async () => {
  const response = await get("/.well-known/jmap");
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toContain("no-store");
  const session = (await response.json()) as Record<string, Record<string, never>>;
  expect(session).toMatchObject({
    username: "test",
    apiUrl: `${base}/jmap/api`,
    uploadUrl: `${base}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${base}/jmap/eventsource/?types={types}&closeafter={closeafter}&ping={ping}`,
    capabilities: {
      [capabilities.core]: { maxCallsInRequest: 3 },
      [capabilities.mail]: {},
      [capabilities.websocket]: { url: `${base.replace("http", "ws")}/jmap/ws`, supportsPush: true },
    },
    accounts: {
      [account]: { isPersonal: true, accountCapabilities: { [capabilities.mail]: { maxMailboxDepth: 10 } } },
    },
    primaryAccounts: { [capabilities.mail]: account },
  });
  const api = (await (await post(echo({}))).json()) as { sessionState: string };
  expect(api.sessionState).toBe(session.state);
  const proxied = await get("/.well-known/jmap", { "X-Forwarded-Proto": "https" });
  expect(((await proxied.json()) as { apiUrl: string }).apiUrl).toBe(`${base.replace("http", "https")}/jmap/api`);
});

test("with a push URL the session names it for WebSockets and event sources, which changes its state", async () => {
  const login = testLogin([1]);
  const states = ["", "https://push.example"].map((pushUrl) => {
    const session = buildSession({ ...deps, pushUrl }, { ...login }, "https://mail.example");
    return session as { state: string; eventSourceUrl: string; capabilities: Record<string, object> };
  });
  expect(states[1]!.eventSourceUrl).toMatch(/^https:\/\/push\.example\/jmap\/eventsource\/\?types=/);
  expect(states[1]!.capabilities[capabilities.websocket]).toMatchObject({ url: "wss://push.example/jmap/ws" });
  expect(states[1]).toMatchObject({ apiUrl: "https://mail.example/jmap/api" });
  expect(states[0]!.state).not.toBe(states[1]!.state);
});

test("wrong credentials get 401, with a challenge except for scripts, and 429 when throttled", async () => {
  const refused = await fetch(`${base}/.well-known/jmap`, { headers: { "Sec-Fetch-Mode": "navigate" } });
  expect(refused.status).toBe(401);
  const header = (headers: object) =>
    new Promise<string | undefined>((resolve) => {
      request(`${base}/jmap/session`, { headers: { ...headers } }, (res) => {
        res.resume();
        resolve(res.headers["www-authenticate"]);
      }).end();
    });
  expect(await header({})).toMatch(/^Basic .*, Bearer /);
  expect(await header({ "Sec-Fetch-Mode": "navigate" })).toMatch(/^Basic .*, Bearer /);
  expect(await header({ "Sec-Fetch-Mode": "same-origin" })).toBeUndefined();
  expect(await header({ Origin: "https://webmail.example" })).toBeUndefined();
  expect(await header({ "X-Requested-With": "fetch" })).toBeUndefined();
  expect(await header({ "Sec-Fetch-Mode": "cors" })).toBeUndefined();
  const throttled = await get("/jmap/session", { Authorization: "Bearer often" });
  expect(throttled.status).toBe(429);
  expect(throttled.headers.get("retry-after")).toBeTruthy();
  expect((await post(echo({}), { Authorization: "Bearer bad" })).status).toBe(401);
});

test("preflights need no credentials on any path", async () => {
  for (const path of ["/jmap/api", "/.well-known/jmap", "/jmap/upload/x/", "/jmap/download/a/b/c", "/nowhere"]) {
    const response = await fetch(base + path, { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("Authorization");
  }
  expect((await post(echo({}))).headers.get("access-control-allow-origin")).toBe("*");
});

const problem = (name: string) => `urn:ietf:params:jmap:error:${name}`;

test.each([
  ["notJSON", "{", {}],
  ["notJSON", echo({}), { "Content-Type": "text/plain" }],
  ["notJSON", '{"using":[],"using":[],"methodCalls":[]}', {}],
  ["notRequest", "[]", {}],
  ["notRequest", { using }, {}],
  ["notRequest", { using: [1], methodCalls: [] }, {}],
  ["notRequest", { using, methodCalls: [["Core/echo", {}]] }, {}],
  ["notRequest", { using, methodCalls: [["Core/echo", [], "c"]] }, {}],
  ["notRequest", { using, methodCalls: [], createdIds: { a: 1 } }, {}],
  ["unknownCapability", { using: ["urn:none"], methodCalls: [] }, {}],
])("%s: %j", async (name, body, headers) => {
  const response = await post(body, headers);
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ type: problem(name), status: 400 });
});

test("each request is reported with its endpoint when its answer is taken", async () => {
  const { events, told } = keepEvents();
  const before = deps.services.events;
  deps.services.events = events;
  const expected: [string, number][] = [];
  const ask = async (endpoint: string, asked: Promise<Response>) => {
    const response = await asked;
    await response.arrayBuffer();
    expected.push([endpoint, response.status]);
    await vi.waitFor(() => expect(told).toHaveLength(expected.length));
  };
  await ask("session", get("/.well-known/jmap"));
  await ask("session", get("/jmap/session", { Authorization: "Bearer wrong" }));
  await ask("api", post({ using: [], methodCalls: [] }));
  await ask("api", post("nonsense"));
  await ask("api", get("/jmap/api"));
  await ask("api", fetch(`${base}/jmap/api?a=b`, { method: "POST", headers: authorization, body: "{}" }));
  await ask("upload", fetch(`${base}/jmap/upload/${account}/`, { method: "POST", headers: authorization, body: "a" }));
  await ask("download", get(`/jmap/download/${account}/none/name`));
  await ask("eventsource", get("/jmap/eventsource"));
  await ask("other", get("/healthz"));
  await ask("other", get("/jmap/api/nothing"));
  await ask("other", get("/%"));
  deps.services.events = before;
  expect(expected.map(([, status]) => status)).toEqual([200, 401, 200, 400, 405, 400, 201, 404, 404, 200, 404, 404]);
  const seconds = expect.any(Number);
  expect(told).toEqual(expected.map(([endpoint, status]) => ["requestEnded", { endpoint, status, seconds }]));
});

test("a refusal names the limit that was exceeded", async () => {
  const calls = Array.from({ length: 4 }, (_, n) => ["Core/echo", {}, `${n}`]);
  expect(await (await post({ using, methodCalls: calls })).json()).toMatchObject({
    type: problem("limit"),
    limit: "maxCallsInRequest",
  });
  const large = await post(echo({ text: "x".repeat(6000) }));
  expect(large.status).toBe(400);
  expect(await large.json()).toMatchObject({ type: problem("limit"), limit: "maxSizeRequest" });
  const chunked = await fetch(`${base}/jmap/api`, {
    method: "POST",
    headers: { ...authorization, "Content-Type": "application/json" },
    body: new ReadableStream({
      start(controller) {
        for (let n = 0; n < 10; n++) controller.enqueue(Buffer.alloc(1000, 0x20));
        controller.close();
      },
    }),
    duplex: "half",
  } as RequestInit);
  expect(await chunked.json()).toMatchObject({ limit: "maxSizeRequest" });
});

test("a client that sends a whole body that is too large before it reads still gets the answer", async () => {
  // More than the socket buffers hold.
  const body = "x".repeat(900_000);
  for (const headers of [{}, { Authorization: "Bearer bad" }, { "Content-Type": "text/plain" }]) {
    expect((await post(body, headers)).status).toBeLessThan(500);
  }
  for (const path of [`upload/${account}/`, "upload/nonsense/"]) {
    const response = await fetch(`${base}/jmap/${path}`, { method: "POST", headers: authorization, body });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("connection")).toBe("keep-alive");
  }
  const far = await post("x".repeat(3_000_000)).catch(() => undefined);
  expect(far?.headers.get("connection") ?? "close").toBe("close");
});

test("a compressed body is refused", async () => {
  const coded = { "Content-Encoding": "gzip" };
  expect((await post(echo({}), coded)).status).toBe(415);
  expect((await upload("x", coded)).status).toBe(415);
  expect((await upload("x", { "Content-Encoding": "identity" })).status).toBe(201);
});

test("unknown properties of a request are ignored; createdIds come back when given", async () => {
  const response = await post({ using, methodCalls: [], createdIds: { a: "m1" }, future: true });
  expect(await response.json()).toMatchObject({ methodResponses: [], createdIds: { a: "m1" } });
  expect(await (await post({ using, methodCalls: [] })).json()).not.toHaveProperty("createdIds");
});

test("large answers are compressed for clients that accept it", async () => {
  const body = echo({ text: "x".repeat(3000) });
  for (const encoding of ["gzip", "br"]) {
    const response = await post(body, { "Accept-Encoding": encoding });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(Number(response.headers.get("content-length"))).toBeLessThan(1000);
    expect(await response.json()).toMatchObject({ methodResponses: [["Core/echo", { text: "x".repeat(3000) }, "c"]] });
  }
  expect((await post(body, { "Accept-Encoding": "identity" })).headers.get("content-encoding")).toBeNull();
  expect((await post(body, { "Accept-Encoding": "gzip;q=0" })).headers.get("content-encoding")).toBeNull();
  expect((await post(echo({}), { "Accept-Encoding": "gzip" })).headers.get("content-encoding")).toBeNull();
});

async function upload(bytes: Buffer | string, headers: Record<string, string> = {}, to = account): Promise<Response> {
  return fetch(`${base}/jmap/upload/${to}/`, {
    method: "POST",
    headers: { ...authorization, ...headers },
    body: bytes,
  });
}

test("an upload can be downloaded whole and in ranges, and is not sent again when unchanged", async () => {
  expect((await upload("x", { Authorization: "Bearer guest" }, encodeId("u", removed))).status).toBe(404);
  const uploaded = await upload("0123456789", { "Content-Type": "text/x-test" });
  expect(uploaded.status).toBe(201);
  const { blobId, ...rest } = (await uploaded.json()) as Record<string, string>;
  expect(rest).toEqual({ accountId: account, type: "text/x-test", size: 10 });

  const path = `/jmap/download/${account}/${blobId}/${encodeURIComponent('a "b"/ü.txt')}?type=text%2Fhtml%3Bcharset%3Dutf-8`;
  const whole = await get(path);
  expect(whole.status).toBe(200);
  expect(await whole.text()).toBe("0123456789");
  expect(whole.headers.get("content-type")).toBe("text/html;charset=utf-8");
  expect(whole.headers.get("content-disposition")).toBe(
    "attachment; filename=\"a _b_/_.txt\"; filename*=UTF-8''a%20%22b%22%2F%C3%BC.txt",
  );
  expect(whole.headers.get("cache-control")).toContain("immutable");
  expect(whole.headers.get("x-content-type-options")).toBe("nosniff");
  expect(whole.headers.get("content-security-policy")).toContain("sandbox");

  const range = async (value: string) => {
    const response = await get(path, { Range: value });
    return [response.status, response.headers.get("content-range"), await response.text()];
  };
  expect(await range("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await range("bytes=8-")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await range("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await range("bytes=-99")).toEqual([206, "bytes 0-9/10", "0123456789"]);
  expect(await range("bytes=10-")).toEqual([416, "bytes */10", ""]);
  expect(await range("bytes=0-1,3-4")).toEqual([200, null, "0123456789"]);
  const head = await get(path, {}, "HEAD");
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
  expect((await get(path, { "If-None-Match": whole.headers.get("etag")! })).status).toBe(304);
  expect((await get(path, { Range: "bytes=1-2", "If-Range": '"else"' })).status).toBe(200);
});

test("a download needs no name", async () => {
  const { blobId } = (await (await upload("0123456789")).json()) as Record<string, string>;
  for (const end of ["/?type=text/plain", "?type=text/plain", "//?type=text/plain"]) {
    const response = await get(`/jmap/download/${account}/${blobId}${end}`);
    const { status, headers } = response;
    expect([status, headers.get("content-type"), headers.get("content-disposition")], end).toEqual(
      end.startsWith("//") ? [404, "application/problem+json", null] : [200, "text/plain", "attachment"],
    );
    await response.arrayBuffer();
  }
});

test("a method whose capability is not in using is refused, and logged once for each client", async () => {
  const warnings: object[] = [];
  deps.services.log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
  const methodCalls = ["Identity/get", "EmailSubmission/set"].map((name, index) => [
    name,
    { accountId: account },
    `${index}`,
  ]);
  const ask = async (agent: string) => {
    const response = await post({ using, methodCalls }, { "User-Agent": agent });
    return ((await response.json()) as { methodResponses: unknown }).methodResponses;
  };
  const refused = (name: string, callId: string) => {
    const description = `${name} needs urn:ietf:params:jmap:submission in using`;
    return ["error", { type: "unknownMethod", description }, callId];
  };
  for (const agent of ["Mailer/1", "Mailer/1", "Other/2"]) {
    expect(await ask(agent)).toEqual([refused("Identity/get", "0"), refused("EmailSubmission/set", "1")]);
  }
  const told = { login: "test", method: "Identity/get", option: "--relaxed-using" };
  expect(warnings).toMatchObject([
    { ...told, agent: "Mailer/1" },
    { ...told, agent: "Other/2" },
  ]);
});

test("at most ten clients of a login that forget a capability are logged, whatever they call themselves", async () => {
  const warnings: { login: string; agent: string }[] = [];
  deps.services.log = { ...silentLog, warn: (fields: object) => void warnings.push(fields as never) };
  const ask = (agent: string, headers = {}) =>
    post({ using, methodCalls: [["Identity/get", { accountId: account }, "0"]] }, { "User-Agent": agent, ...headers });
  for (const end of ["a", "b"]) await ask("x".repeat(1_000) + end);
  for (let count = 0; count < 20; count++) await ask(`Mailer/${count}`);
  await ask("Mailer/0", { Authorization: "Bearer guest" });
  const logins = warnings.map(({ login }) => login);
  expect(logins).toEqual([...Array.from({ length: 10 }, () => "test"), "guest"]);
  expect(warnings.map(({ agent }) => agent.length).slice(0, 2)).toEqual([200, 8]);
});

test("a refusal that fails itself ends its connection, and nothing else", async () => {
  const away = () => {
    throw new Error("away");
  };
  const failing = createHttpServer({
    ...deps,
    services: { ...deps.services, random: away },
    authenticator: { authenticate: away },
    ready: away,
  });
  await new Promise<void>((resolve) => failing.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
    await expect(fetch(`${url}/jmap/api`, { method: "POST" })).rejects.toThrow();
    await expect(fetch(`${url}/readyz`)).rejects.toThrow();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  } finally {
    failing.closeAllConnections();
    failing.close();
  }
});

test("an upload that the account has no room for is refused, announced or not", async () => {
  const announced = await upload("01234567890", {}, full);
  expect(announced.status).toBe(507);
  expect(await announced.json()).toMatchObject({ type: "about:blank", detail: expect.stringContaining("no room") });
  const streamed = await fetch(`${base}/jmap/upload/${full}/`, {
    method: "POST",
    headers: authorization,
    body: new Blob(["01234567890"]).stream(),
    duplex: "half",
  } as RequestInit);
  expect(streamed.status).toBe(507);
  expect((await upload("0123456789", {}, full)).status).toBe(201);
  expect((await upload(Buffer.alloc(20_000), {}, full)).status).toBe(413);
});

test("only its uploader can read an upload into a shared account until a message takes it up", async () => {
  const guest = { Authorization: "Bearer guest" };
  const raw = "Subject: s\r\n\r\ntaken up";
  const { blobId } = (await (await upload(raw)).json()) as { blobId: string };
  const path = `/jmap/download/${account}/${blobId}/x?type=text/plain`;
  const call = async (name: string, args: object, headers = {}) => {
    const body = {
      using: [...using, capabilities.blob, capabilities.mdn],
      methodCalls: [[name, { accountId: account, ...args }, "0"]],
    };
    const { methodResponses } = (await (await post(body, headers)).json()) as { methodResponses: [[string, object]] };
    return methodResponses[0][1];
  };
  expect([(await get(path)).status, (await get(path, guest)).status]).toEqual([200, 404]);
  const unseen: [string, object, object][] = [
    ["Blob/get", { ids: [blobId] }, { notFound: [blobId] }],
    ["Blob/upload", { create: { a: { data: [{ blobId }] } } }, { notCreated: { a: { type: "blobNotFound" } } }],
    ["Blob/copy", { fromAccountId: account, accountId: other, blobIds: [blobId] }, { copied: null }],
    ["Email/parse", { blobIds: [blobId] }, { notFound: [blobId] }],
    ["MDN/parse", { blobIds: [blobId] }, { notFound: [blobId] }],
    ["Email/import", { emails: { a: { blobId, mailboxIds: { m1: true } } } }, { created: null }],
    [
      "Email/set",
      { create: { a: { mailboxIds: { m1: true }, attachments: [{ blobId, type: "text/plain" }] } } },
      { notCreated: { a: { type: "blobNotFound" } } },
    ],
  ];
  for (const [name, args, answer] of unseen) expect(await call(name, args, guest), name).toMatchObject(answer);
  expect(await call("Email/import", { emails: { a: { blobId, mailboxIds: { m1: true } } } })).toMatchObject({
    created: { a: { blobId } },
  });
  expect((await get(path, guest)).status).toBe(200);
  const both = (await (await upload("both")).json()) as { blobId: string };
  await upload("both", guest);
  for (const headers of [{}, guest]) {
    expect((await get(`/jmap/download/${account}/${both.blobId}/x?type=text/plain`, headers)).status).toBe(200);
  }
});

test("upload and download refuse with problems", async () => {
  const tooLarge = await upload(Buffer.alloc(20_000));
  expect(tooLarge.status).toBe(413);
  expect(await tooLarge.json()).toMatchObject({ type: problem("limit"), limit: "maxSizeUpload" });
  expect((await upload("x", {}, other)).status).toBe(404);
  expect((await upload("x", {}, "nonsense")).status).toBe(404);
  const { blobId } = (await (await upload("")).json()) as { blobId: string };
  const empty = await get(`/jmap/download/${account}/${blobId}/x?type=text/plain`);
  expect([empty.status, await empty.text()]).toEqual([200, ""]);
  for (const path of [
    `/jmap/download/${other}/${blobId}/x?type=text/plain`,
    `/jmap/download/${account}/bnone/x?type=text/plain`,
    "/nowhere",
    "/jmap/eventsource/?types=*",
  ]) {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 404]);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
  }
  expect((await get(`/jmap/download/${account}/${blobId}/x?type=${encodeURIComponent("a/b\r\nX: y")}`)).status).toBe(
    400,
  );
  expect((await get(`/jmap/download/${account}/%E0%A4%A/x`)).status).toBe(400);
});

test("a request with the wrong method is told the right one", async () => {
  const told = async (method: string, path: string) => {
    const response = await get(path, {}, method);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    return [response.status, response.headers.get("allow")];
  };
  for (const path of ["/jmap/api", `/jmap/upload/${account}/`]) {
    for (const method of ["GET", "PUT"]) expect(await told(method, path)).toEqual([405, "POST, OPTIONS"]);
  }
  const read = ["/.well-known/jmap", "/jmap/session", `/jmap/download/${account}/b/n`, "/jmap/eventsource/"];
  for (const path of [...read, "/healthz", "/readyz"]) {
    for (const method of ["POST", "DELETE"]) expect(await told(method, path)).toEqual([405, "GET, HEAD, OPTIONS"]);
  }
});

test("the WebSocket endpoint asks for an upgrade when a request is not a handshake", async () => {
  const plain = await get("/jmap/ws");
  expect(plain.status).toBe(426);
  expect(Object.fromEntries(plain.headers)).toMatchObject({ upgrade: "websocket", connection: "Upgrade" });
  expect(await plain.json()).toMatchObject({ type: "about:blank", status: 426 });
  const post = await get("/jmap/ws", {}, "POST");
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
});

test("a server serves JMAP alone, or push alone, where others serve the rest", async () => {
  const paths = ["/.well-known/jmap", "/jmap/api", "/jmap/ws", "/healthz"];
  const statuses = async (some: Partial<HttpDeps>) => {
    const other = createHttpServer({ ...deps, ...some });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const answers = await Promise.all(paths.map((path) => fetch(url + path)));
    other.close();
    other.closeAllConnections();
    return answers.map(({ status }) => status);
  };
  expect(await statuses({})).toEqual([401, 405, 426, 200]);
  expect(await statuses({ push: undefined })).toEqual([401, 405, 404, 200]);
  expect(await statuses({ isJmapServed: false })).toEqual([404, 404, 426, 200]);
});

test("the API is also found with a query in its URL", async () => {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const odd = await fetch(`${base}/jmap/api/?a=b`, { method: "POST", headers, body: JSON.stringify(echo({ x: 1 })) });
  expect(await odd.json()).toMatchObject({ methodResponses: [["Core/echo", { x: 1 }, "c"]] });
});

test("health checks answer, and targets that are not URLs are refused", async () => {
  expect(await (await fetch(`${base}/healthz`)).text()).toBe("ok\n");
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk;
        socket.destroy();
      });
      socket.on("close", () => resolve(answer));
    });
  expect(await raw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 200/);
  expect(await raw("GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200/);
  for (const host of ["Host: x\r\nHost: x", "Host: x\r\nX: y\r\nhost: z", "Host: x/y", "Host: a@b", "X: y"]) {
    for (const line of ["GET /healthz", "OPTIONS /jmap/api", "POST /jmap/api"]) {
      expect(await raw(`${line} HTTP/1.1\r\n${host}\r\n\r\n`), host).toMatch(/^HTTP\/1.1 400/);
    }
  }
  expect(await raw("GET // HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 404/);
  const upgrade = (protocol: string) => `Host: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
  expect(await raw(`GET // HTTP/1.1\r\n${upgrade("websocket")}`)).toMatch(/^HTTP\/1.1 404/);
  expect(await raw(`GET /healthz HTTP/1.1\r\n${upgrade("h2c")}`)).toMatch(/^HTTP\/1.1 200/);
});
