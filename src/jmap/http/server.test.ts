import request from "supertest";
import { expect, test, vi } from "vitest";
import { createEndpoints, guest, listening, owner, portOf, throttled } from "../../../test/support/endpoints.ts";
import { keepEvents } from "../../../test/support/events.ts";
import { testLogin } from "../../../test/support/jmap.ts";
import { silentLog } from "../../base/log.ts";
import { capabilities } from "../capability-names.ts";
import type { HttpDeps } from "./deps.ts";
import { buildSession } from "./session.ts";

const { deps, url, account } = await createEndpoints();
const at = request(url);
const get = (path: string, headers: object = {}) => at.get(path).set({ ...owner, ...headers });
const post = (body: string | object, headers: object = {}) =>
  at
    .post("/jmap/api")
    .set({ ...owner, "Content-Type": "application/json", ...headers })
    .send(typeof body === "string" ? body : JSON.stringify(body));
const using = [capabilities.core, capabilities.mail];
const echo = (args: object) => ({ using, methodCalls: [["Core/echo", args, "c"]] });

test("the session has absolute URLs and all that the RFCs require", async () => {
  const response = await get("/.well-known/jmap");
  expect(response.status).toBe(200);
  expect(response.headers["cache-control"]).toContain("no-store");
  const session = response.body as Record<string, Record<string, never>>;
  expect(session).toMatchObject({
    username: "test",
    apiUrl: `${url}/jmap/api`,
    uploadUrl: `${url}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${url}/jmap/eventsource/?types={types}&closeafter={closeafter}&ping={ping}`,
    capabilities: {
      [capabilities.core]: { maxCallsInRequest: 3 },
      [capabilities.mail]: {},
      [capabilities.websocket]: { url: `${url.replace("http", "ws")}/jmap/ws`, supportsPush: true },
    },
    accounts: {
      [account]: { isPersonal: true, accountCapabilities: { [capabilities.mail]: { maxMailboxDepth: 10 } } },
    },
    primaryAccounts: { [capabilities.mail]: account },
  });
  const api = (await post(echo({}))).body as { sessionState: string };
  expect(api.sessionState).toBe(session.state);
  const proxied = await get("/.well-known/jmap", { "X-Forwarded-Proto": "https" });
  expect(proxied.body.apiUrl).toBe(`${url.replace("http", "https")}/jmap/api`);
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
  const challenge = async (headers: object) => {
    const response = await at.get("/jmap/session").set({ ...headers });
    expect(response.status).toBe(401);
    return response.headers["www-authenticate"];
  };
  expect(await challenge({})).toMatch(/^Basic .*, Bearer /);
  expect(await challenge({ "Sec-Fetch-Mode": "navigate" })).toMatch(/^Basic .*, Bearer /);
  expect(await challenge({ "Sec-Fetch-Mode": "same-origin" })).toBeUndefined();
  expect(await challenge({ Origin: "https://webmail.example" })).toBeUndefined();
  expect(await challenge({ "X-Requested-With": "fetch" })).toBeUndefined();
  expect(await challenge({ "Sec-Fetch-Mode": "cors" })).toBeUndefined();
  const later = await get("/jmap/session", throttled);
  expect(later.status).toBe(429);
  expect(later.headers["retry-after"]).toBeTruthy();
  expect((await post(echo({}), { Authorization: "Bearer bad" })).status).toBe(401);
});

test("preflights need no credentials on any path", async () => {
  for (const path of ["/jmap/api", "/.well-known/jmap", "/jmap/upload/x/", "/jmap/download/a/b/c", "/nowhere"]) {
    const response = await at.options(path);
    expect(response.status).toBe(204);
    expect(response.headers["access-control-allow-headers"]).toContain("Authorization");
  }
  expect((await post(echo({}))).headers["access-control-allow-origin"]).toBe("*");
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
  expect(response.headers["content-type"]).toContain("application/problem+json");
  expect(response.body).toMatchObject({ type: problem(name), status: 400 });
});

test("each request is reported with its endpoint when its answer is taken", async () => {
  const { events, told } = keepEvents();
  const before = deps.services.events;
  deps.services.events = events;
  const expected: [string, number][] = [];
  const ask = async (endpoint: string, asked: PromiseLike<{ status: number }>) => {
    expected.push([endpoint, (await asked).status]);
    await vi.waitFor(() => expect(told).toHaveLength(expected.length), { timeout: 10_000 });
  };
  await ask("session", get("/.well-known/jmap"));
  await ask("session", get("/jmap/session", { Authorization: "Bearer wrong" }));
  await ask("api", post({ using: [], methodCalls: [] }));
  await ask("api", post("nonsense"));
  await ask("api", get("/jmap/api"));
  await ask("api", at.post("/jmap/api?a=b").set(owner).send("{}"));
  await ask("upload", at.post(`/jmap/upload/${account}/`).set(owner).send("a"));
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
  expect((await post({ using, methodCalls: calls })).body).toMatchObject({
    type: problem("limit"),
    limit: "maxCallsInRequest",
  });
  const large = await post(echo({ text: "x".repeat(6000) }));
  expect(large.status).toBe(400);
  expect(large.body).toMatchObject({ type: problem("limit"), limit: "maxSizeRequest" });
});

test("unknown properties of a request are ignored; createdIds come back when given", async () => {
  const response = await post({ using, methodCalls: [], createdIds: { a: "m1" }, future: true });
  expect(response.body).toMatchObject({ methodResponses: [], createdIds: { a: "m1" } });
  expect((await post({ using, methodCalls: [] })).body).not.toHaveProperty("createdIds");
});

test("large answers are compressed for clients that accept it", async () => {
  const body = echo({ text: "x".repeat(3000) });
  for (const encoding of ["gzip", "br"]) {
    const response = await post(body, { "Accept-Encoding": encoding });
    expect(response.headers["content-encoding"]).toBe(encoding);
    expect(Number(response.headers["content-length"])).toBeLessThan(1000);
    expect(response.body).toMatchObject({ methodResponses: [["Core/echo", { text: "x".repeat(3000) }, "c"]] });
  }
  expect((await post(body, { "Accept-Encoding": "identity" })).headers["content-encoding"]).toBeUndefined();
  expect((await post(body, { "Accept-Encoding": "gzip;q=0" })).headers["content-encoding"]).toBeUndefined();
  expect((await post(echo({}), { "Accept-Encoding": "gzip" })).headers["content-encoding"]).toBeUndefined();
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
    return (response.body as { methodResponses: unknown }).methodResponses;
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
  await ask("Mailer/0", guest);
  const logins = warnings.map(({ login }) => login);
  expect(logins).toEqual([...Array.from({ length: 10 }, () => "test"), "guest"]);
  expect(warnings.map(({ agent }) => agent.length).slice(0, 2)).toEqual([200, 8]);
});

test("a request with the wrong method is told the right one", async () => {
  const told = async (method: "get" | "put" | "post" | "delete", path: string) => {
    const response = await at[method](path).set(owner);
    expect(response.headers["content-type"]).toBe("application/problem+json");
    return [response.status, response.headers.allow];
  };
  for (const path of ["/jmap/api", `/jmap/upload/${account}/`]) {
    for (const method of ["get", "put"] as const) expect(await told(method, path)).toEqual([405, "POST, OPTIONS"]);
  }
  const read = ["/.well-known/jmap", "/jmap/session", `/jmap/download/${account}/b/n`, "/jmap/eventsource/"];
  for (const path of [...read, "/healthz", "/readyz"]) {
    for (const method of ["post", "delete"] as const)
      expect(await told(method, path)).toEqual([405, "GET, HEAD, OPTIONS"]);
  }
});

test("a server serves JMAP alone, or push alone, where others serve the rest", async () => {
  const paths = ["/.well-known/jmap", "/jmap/api", "/jmap/ws", "/healthz"];
  const statuses = async (some: Partial<HttpDeps>) => {
    const other = request(`http://127.0.0.1:${portOf(await listening({ ...deps, ...some }))}`);
    const answers = await Promise.all(paths.map((path) => other.get(path)));
    return answers.map(({ status }) => status);
  };
  expect(await statuses({})).toEqual([401, 405, 426, 200]);
  expect(await statuses({ push: undefined })).toEqual([401, 405, 404, 200]);
  expect(await statuses({ isJmapServed: false })).toEqual([404, 404, 426, 200]);
});

test("the API is also found with a query in its URL", async () => {
  const odd = await at
    .post("/jmap/api/?a=b")
    .set(owner)
    .send(echo({ x: 1 }));
  expect(odd.body).toMatchObject({ methodResponses: [["Core/echo", { x: 1 }, "c"]] });
});

test("health checks answer without credentials", async () => {
  expect((await at.get("/healthz")).text).toBe("ok\n");
  expect((await at.get("/readyz")).status).toBe(200);
});
