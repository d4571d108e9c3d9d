import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { testAdmin } from "../../test/support/admin.ts";
import { basic, createHttpWorld, known } from "../../test/support/http-world.ts";
import { setPassword } from "../admin/accounts.ts";
import { addAppPassword, addToken, listCredentials } from "../admin/tokens.ts";
import type { Authenticator } from "../auth/login.ts";
import { encodeId } from "../base/ids.ts";
import { OwnCounts } from "../base/own-counts.ts";
import { capabilities } from "../jmap/capability-names.ts";
import { WebSessions } from "./session.ts";

const world = await createHttpWorld();
const { port, deps } = world;
const { store } = deps.services;
const admin = { ...testAdmin(store), bus: deps.services.bus };
const host = `here.test:${port}`;
const own = { "sec-fetch-site": "same-origin" };

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends these headers and no others but Host. */
async function ask(path: string, headers: Record<string, string> = {}, body?: string | object): Promise<Answer> {
  const sent = typeof body === "object" ? JSON.stringify(body) : body;
  const method = body === undefined ? "GET" : "POST";
  const type = typeof body === "object" ? { "content-type": "application/json" } : {};
  const asked = request({ port, host: "127.0.0.1", path, method, headers: { host, ...type, ...headers } });
  asked.end(sent);
  const [answer] = (await once(asked, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    // A stream of events does not end.
    if (answer.headers["content-type"] === "text/event-stream") break;
  }
  return { status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}

const login = (headers: Record<string, string> = own, more: object = {}) =>
  ask("/auth/login", headers, { username: known.user, password: known.password, ...more });
const cookieOf = ({ headers }: Answer) => headers["set-cookie"]![0]!.split(";")[0]!;
/** A new sign-in. */
const signIn = async (headers: Record<string, string> = own) => ({ cookie: cookieOf(await login(headers)) });

const echo = { using: [capabilities.core], methodCalls: [["Core/echo", {}, "c"]] };
const account = encodeId("u", world.account);

/** Whatever a cookie may be used for. */
const uses: Record<string, (headers: Record<string, string>) => Promise<number>> = {
  session: async (headers) => (await ask("/jmap/session", headers)).status,
  API: async (headers) => (await ask("/jmap/api", headers, echo)).status,
  upload: async (headers) => (await ask(`/jmap/upload/${account}/`, headers, "hello")).status,
  download: async (headers) => (await ask(`/jmap/download/${account}/bnothing/x`, headers)).status,
  "event source": async (headers) => (await ask("/jmap/eventsource?types=*&closeafter=no&ping=0", headers)).status,
  WebSocket: async (headers) => (await openSocket(headers)).status,
};
const allowed = (status: number) => expect([101, 200, 201, 404]).toContain(status);
const refused = (status: number) => expect(status).toBe(401);

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

async function openSocket(headers: Record<string, string>): Promise<{ status: number; socket: WebSocket }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/jmap/ws`, "jmap", { headers: { host, ...headers } });
  sockets.push(socket);
  socket.on("error", () => {});
  const refusal = once(socket, "unexpected-response").then(([, { statusCode }]) => statusCode as number);
  const status = await Promise.race([once(socket, "open").then(() => 101), refusal]);
  return { status, socket };
}

describe("signing in", () => {
  test("gives a cookie that scripts cannot read, which lasts as long as the browser, or for 30 days", async () => {
    const answer = await login();
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^posthorn=posthorn_\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
    const stays = await login(own, { stay: true });
    expect(stays.headers["set-cookie"]![0]).toContain("; Max-Age=2592000; HttpOnly");
    const { credentials } = await listCredentials(admin, known.user);
    const hours = credentials.map(
      ({ createdAt, expiresAt }) => (expiresAt!.getTime() - createdAt.getTime()) / 3_600_000,
    );
    expect(credentials.map(({ label }) => label)).toEqual(["web", "web"]);
    expect(hours).toEqual([12, 720]);
  });

  test("behind a trusted proxy that took it over TLS, the cookie is Secure and has the name that only such pages can set", async () => {
    const secure = { "x-forwarded-proto": "https", ...own };
    const answer = await login(secure);
    const [cookie] = answer.headers["set-cookie"]!;
    expect(cookie).toMatch(/^__Host-posthorn=.*; HttpOnly; Secure; SameSite=Strict$/);
    const pair = cookie!.split(";")[0]!;
    expect(await uses.session!({ ...secure, cookie: pair })).toBe(200);
    refused(await uses.session!({ ...secure, cookie: pair.replace("__Host-", "") }));
    refused(await uses.session!({ ...own, cookie: pair }));
  });

  test("a wrong password is 401 without a browser's dialog, and the seventh one has to wait", async () => {
    const guess = (username: string) => ask("/auth/login", own, { username, password: "wrong" });
    for (let at = 0; at < 6; at++) expect((await guess("nobody@here.test")).status).toBe(401);
    const answer = await guess("nobody@here.test");
    expect(answer.status).toBe(429);
    expect(answer.headers["retry-after"]).toBeTruthy();
    expect((await guess("someone@here.test")).headers).not.toHaveProperty("www-authenticate");
  });

  test("an app password is for one program only", async () => {
    const { secret } = await addAppPassword(admin, known.user, "phone");
    expect((await login(own, { password: secret })).status).toBe(403);
  });

  test.each([
    ["no JSON", "x=1", { "content-type": "text/plain" }, 415],
    ["a form", "username=a&password=b", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["bad JSON", "{", { "content-type": "application/json" }, 400],
    ["a list", "[]", { "content-type": "application/json" }, 400],
    ["no name", '{"password":"x"}', { "content-type": "application/json" }, 400],
    ["a long body", `{"username":"${"a".repeat(30_000)}"}`, { "content-type": "application/json" }, 413],
  ])("%s is refused", async (_, body, headers, status) => {
    expect((await ask("/auth/login", { ...own, ...headers } as Record<string, string>, body)).status).toBe(status);
  });

  test("only POST, and only these paths", async () => {
    const got = await ask("/auth/login", own);
    expect([got.status, got.headers.allow]).toEqual([405, "POST"]);
    expect((await ask("/auth/other", own, {})).status).toBe(404);
  });

  test("a page of another origin can sign nobody in (login CSRF), nor ask whether it may", async () => {
    for (const site of ["cross-site", "same-site", "none"])
      expect((await login({ "sec-fetch-site": site })).status).toBe(403);
    expect((await login({ origin: "http://evil.test" })).status).toBe(403);
    expect((await login({ origin: "null" })).status).toBe(403);
    expect((await login({})).status).toBe(403);
    const preflight = await world.get("/auth/login", [["Origin", "http://evil.test"]], "OPTIONS");
    expect(preflight.status).toBe(405);
    expect(preflight.headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("the oldest of more than 50 sign-ins ends", async () => {
    const first = await signIn();
    for (let at = 0; at < 50; at++) await signIn();
    refused(await uses.session!({ ...own, ...first }));
    const { credentials } = await listCredentials(admin, known.user);
    expect(credentials.filter(({ label }) => label === "web")).toHaveLength(50);
  }, 20_000);

  test("signing in anew ends the sign-in that the browser had", async () => {
    const before = await signIn();
    const after = await signIn({ ...own, ...before });
    refused(await uses.session!({ ...own, ...before }));
    allowed(await uses.session!({ ...own, ...after }));
  });

  test("who signs in while the password is changed is not signed in", async () => {
    const { authenticator } = deps.services;
    const late = new WebSessions({
      ...deps.services,
      counts: new OwnCounts(deps.services),
      site: "inbox",
      joining: undefined,
      proxies: deps.proxies,
      authenticator: {
        ...(deps.services.authenticator as Authenticator),
        async checkFirstFactor(...given) {
          const found = await authenticator.checkFirstFactor(...given);
          await setPassword(admin, known.user, "changed meanwhile");
          return found;
        },
      },
    });
    const { web } = deps;
    deps.web = { ...web!, serve: (req, res) => late.serve(req, res) };
    const answer = await login();
    deps.web = web;
    await setPassword(admin, known.user, known.password);
    expect(answer.status).toBe(401);
  });
});

describe.each(Object.keys(uses))("the cookie at the %s", (name) => {
  const use = uses[name]!;

  test("counts for a page of our own", async () => {
    const cookie = await signIn();
    allowed(await use({ ...cookie, ...own }));
    allowed(await use({ ...cookie, origin: `http://${host}` }));
  });

  test.each([
    ["another port or a subdomain", { "sec-fetch-site": "same-site" }],
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["nowhere", { "sec-fetch-site": "none" }],
    ["another port, over plain HTTP", { origin: "http://here.test:1" }],
    ["a subdomain, over plain HTTP", { origin: "http://evil.here.test" }],
    ["a name that begins alike, over plain HTTP", { origin: `http://${host}.evil.test` }],
    ["a frame without an origin, over plain HTTP", { origin: "null" }],
  ])("does not count for a page of %s", async (_, from) => {
    refused(await use({ ...(await signIn()), ...from }));
  });

  test("without Sec-Fetch-Site and Origin, counts only for what cannot be read by a page and changes nothing", async () => {
    const status = await use(await signIn());
    if (["API", "upload", "WebSocket"].includes(name)) refused(status);
    else allowed(status);
  });

  test("does not count when there are two", async () => {
    const [one, other] = [await signIn(), await signIn()];
    refused(await use({ ...own, cookie: `${one.cookie}; ${other.cookie}` }));
    refused(await use({ ...own, cookie: `posthorn=; ${one.cookie}` }));
    allowed(await use({ ...own, cookie: `a=b; ${one.cookie}; posthorn2=c` }));
  });

  test("does not count beside an Authorization header, right or wrong", async () => {
    const cookie = await signIn();
    refused(await use({ ...own, ...cookie, authorization: "Bearer wrong" }));
    allowed(
      await use({
        "sec-fetch-site": "cross-site",
        cookie: "posthorn=x",
        authorization: basic(known.user, known.password),
      }),
    );
  });
});

test("header clients of any origin work as before, and the cookie does not open CORS", async () => {
  const answer = await ask("/jmap/session", {
    origin: "http://evil.test",
    authorization: basic(known.user, known.password),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers["access-control-allow-origin"]).toBe("*");
  expect(answer.headers).not.toHaveProperty("access-control-allow-credentials");
});

test("a page of our own gets no challenge, so that the browser opens no dialog", async () => {
  const expired = { cookie: "posthorn=posthorn_1.gone" };
  const link = { "sec-fetch-mode": "navigate", ...own };
  for (const headers of [own, link, expired]) {
    expect((await ask(`/jmap/download/${account}/b1/x`, headers)).headers).not.toHaveProperty("www-authenticate");
  }
  expect((await ask("/jmap/session")).headers).toHaveProperty("www-authenticate");
});

describe("signing out", () => {
  test("ends the sign-in with its WebSockets, and clears what the browser keeps", async () => {
    const [cookie, other] = [await signIn(), await signIn()];
    const { socket } = await openSocket({ ...own, ...cookie });
    const { socket: stays } = await openSocket({ ...own, ...other });
    const answer = await ask("/auth/logout", { ...own, ...cookie }, {});
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual(["posthorn=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"]);
    expect(answer.headers["clear-site-data"]).toBe('"cache", "storage"');
    expect((await once(socket, "close"))[0]).toBe(1008);
    refused(await uses.session!({ ...own, ...cookie }));
    expect(stays.readyState).toBe(WebSocket.OPEN);
    allowed(await uses.session!({ ...own, ...other }));
  });

  test("is not for other pages", async () => {
    const cookie = await signIn();
    expect((await ask("/auth/logout", { "sec-fetch-site": "same-site", ...cookie }, {})).status).toBe(403);
    expect((await ask("/auth/logout", cookie, {})).status).toBe(403);
    allowed(await uses.session!({ ...own, ...cookie }));
  });

  test("succeeds for who is not signed in", async () => {
    expect((await ask("/auth/logout", own, {})).status).toBe(204);
  });
});

test("a new password ends the browsers with their WebSockets, and no other token", async () => {
  const cookie = await signIn();
  const { secret } = await addToken(admin, known.user, { label: "web", days: undefined });
  const { socket } = await openSocket({ ...own, ...cookie });
  const { socket: stays } = await openSocket({ authorization: `Bearer ${secret}` });
  const closed = once(socket, "close");
  await setPassword(admin, known.user, known.password);
  expect((await closed)[0]).toBe(1008);
  refused(await uses.session!({ ...own, ...cookie }));
  expect(stays.readyState).toBe(WebSocket.OPEN);
  expect(await uses.session!({ authorization: `Bearer ${secret}` })).toBe(200);
});

test("nothing of all this was logged as an error", () => {
  expect(world.failures).toEqual([]);
});
