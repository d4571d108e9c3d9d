import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { createHttpWorld, known } from "../../test/support/http-world.ts";
import { createIdentityProvider } from "../../test/support/identity-provider.ts";
import { createOauthTalk, ownPage } from "../../test/support/oauth.ts";
import { addAccount, setPassword } from "../admin/accounts.ts";
import { requireSecondFactor } from "../admin/second-factors.ts";
import { stepAt, totpCode } from "../auth/totp.ts";
import { systemClock } from "../base/clock.ts";
import { OwnCounts } from "../base/own-counts.ts";
import type { Means } from "./means.ts";
import { Oidc } from "./oidc.ts";
import { WebSessions } from "./session.ts";
import { WebTokens } from "./web-tokens.ts";

const world = await createHttpWorld();
const { deps } = world;
const { store } = deps.services;
const admin = testAdmin(store);
const client = { id: "posthorn", secret: "the secret" };
const provider = await createIdentityProvider(client);

/** The server with an identity provider, as `src/cli/http.ts` joins them. */
async function listen(more: object = {}) {
  const means = { ...deps.services, counts: new OwnCounts({ clock: systemClock }), proxies: deps.proxies };
  const own = { ...means, site: "inbox", joining: undefined } as unknown as Means;
  const named = { issuer: provider.issuer, clientId: client.id, clientSecret: client.secret };
  const oidc = new Oidc({ ...own, tokens: new WebTokens(own), provider: named, strong: [], ...more });
  const sessions = new WebSessions(own);
  const operators = new WebSessions({ ...own, site: "operator" });
  const server = createServer((req, res) => {
    if (req.headers["x-operators"]) operators.serve(req, res);
    else if (!oidc.serve(req, res) && !sessions.serve(req, res)) res.writeHead(418).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterwards(async () => void server.close());
  return (server.address() as AddressInfo).port;
}

let port: number;
beforeAll(async () => {
  port = await listen();
});
beforeEach(() => {
  provider.user = { sub: "1", email: known.user, email_verified: true };
  provider.spoiled = {};
});

const cookiesOf = (response: Response) => response.headers.getSetCookie().map((one) => one.split(";")[0]!);
const ask = (url: string, cookie = "") => fetch(url, { redirect: "manual", headers: { cookie } });
const whereTo = (response: Response) => response.headers.get("location")!;

/** Begins at the server and passes by the provider. */
async function away(at = port, to = "/") {
  const left = await ask(`http://127.0.0.1:${at}/auth/oidc?to=${encodeURIComponent(to)}`);
  expect(left.status).toBe(303);
  const back = await ask(whereTo(left));
  return { back: whereTo(back), cookie: cookiesOf(left)[0]!, asked: new URL(whereTo(left)), left };
}
async function signIn(at = port, to = "/") {
  const { back, cookie } = await away(at, to);
  return ask(back, cookie);
}
const sessionOf = (response: Response) => cookiesOf(response).find((one) => /^posthorn=posthorn_/.test(one));
function expectRefused(response: Response, why = "failed") {
  expect([response.status, whereTo(response)]).toEqual([303, `/?oidc=${why}`]);
  expect(sessionOf(response)).toBeUndefined();
}

test("a verified address opens its account, as a sign-in at the pages does", async () => {
  const { asked, left } = await away();
  expect(asked.searchParams.get("code_challenge_method")).toBe("S256");
  expect(left.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Lax$/);
  const response = await signIn();
  expect(whereTo(response)).toBe("/");
  expect(response.headers.getSetCookie()[0]).toMatch(/^posthorn=posthorn_.*; Path=\/; HttpOnly; SameSite=Strict$/);
  const talk = createOauthTalk(world.port);
  const page = { ...ownPage, cookie: sessionOf(response)! };
  expect((await talk.ask("/jmap/session", { headers: page })).json.username).toBe(known.user);
  // Programs can be allowed from here.
  expect(await talk.obtain(page, await talk.register())).toHaveProperty("access_token");
});

test("whoever came from a program's question goes back to it, and to nowhere else", async () => {
  const question = "/oauth/authorize?client_id=x&scope=urn%3Aietf";
  expect(whereTo(await signIn(port, question))).toBe(question);
  for (const to of ["https://evil.test/", "//evil.test/", "/\\evil.test", "/oauth/authorize?\r\nX: y", "/other"]) {
    expect(whereTo(await signIn(port, to))).toBe("/");
  }
});

describe("refused is", () => {
  test.each([
    ["an issuer that is another in the redirect (mix-up)", { iss: "https://evil.test" }],
    ["an issuer that is another in the token (mix-up)", { claims: { iss: "https://evil.test" } }],
    ["a wrong nonce (a token of another sign-in)", { claims: { nonce: "x".repeat(43) } }],
    ["no nonce", { claims: { nonce: undefined } }],
    ["a token for another program", { claims: { aud: "other" } }],
    ["a token that has expired", { claims: { exp: Math.floor(Date.now() / 1000) - 600 } }],
    ["a token that nobody signed (alg none)", { alg: "none" as const }],
    ["a token signed by the public key as a secret", { alg: "HS256" as const }],
    ["a token signed by another key", { isForged: true }],
  ])("%s", async (_, spoiled) => {
    provider.spoiled = spoiled;
    expectRefused(await signIn());
  });

  test.each([
    ["an address that is not verified", { email_verified: false }, "unverified"],
    ["an address of which that is not said", { email_verified: undefined }, "unverified"],
    ["an address that is verified in words", { email_verified: "true" }, "unverified"],
    ["no address", { email: undefined }, "unverified"],
    ["an address without an account", { email: "stranger@here.test" }, "unknown"],
  ])("%s", async (_, claims, why) => {
    provider.spoiled = { claims };
    expectRefused(await signIn(), why);
  });

  test("a code that is used again", async () => {
    const { back, cookie } = await away();
    expect(sessionOf(await ask(back, cookie))).toBeDefined();
    expectRefused(await ask(back, cookie));
  });

  test("an answer in another browser (login CSRF), with another state, or with another verifier", async () => {
    const [mine, theirs] = [await away(), await away()];
    expectRefused(await ask(mine.back));
    expectRefused(await ask(mine.back, theirs.cookie));
    expectRefused(await ask(mine.back, "posthorn-oidc=e30"));
    expectRefused(await ask(mine.back, `${mine.cookie}; ${theirs.cookie}`));
    const before = provider.codesAsked;
    expectRefused(await ask(mine.back.replace(/state=[^&]*/, "state=x"), mine.cookie));
    // The code goes nowhere.
    expect(provider.codesAsked).toBe(before);
    // A code of somebody else's, put into this browser's sign-in.
    const other = new URL(theirs.back).searchParams.get("code")!;
    expectRefused(await ask(mine.back.replace(/code=[^&]*/, `code=${other}`), mine.cookie));
  });

  test("what the provider refuses", async () => {
    const { back, cookie } = await away();
    expectRefused(await ask(back.replace(/code=[^&]*/, "error=access_denied"), cookie));
  });
});

test("accounts are made where the operator wants it, in domains of this server alone", async () => {
  const made: string[] = [];
  const at = await listen({
    createAccount: async (address: string, name: string) => {
      made.push(address);
      await addAccount(admin, { address, name, password: "x".repeat(40), quota: 0 });
    },
  });
  await addAccount(admin, { address: "first@made.test", name: "", password: "x".repeat(12), quota: 0 });
  provider.user = { sub: "2", email: "New@made.test", email_verified: true, name: "New" };
  expect(sessionOf(await signIn(at))).toBeDefined();
  expect(sessionOf(await signIn(at))).toBeDefined();
  provider.user = { sub: "3", email: "new@elsewhere.test", email_verified: true };
  expectRefused(await signIn(at), "unknown");
  provider.user = { sub: "4", email: "unverified@made.test", email_verified: false };
  expectRefused(await signIn(at), "unverified");
  expect(made).toEqual(["new@made.test"]);
});

test("without a provider there is nothing, and one that does not answer is told", async () => {
  const none = await listen({ provider: undefined });
  expect((await ask(`http://127.0.0.1:${none}/auth/oidc`)).status).toBe(404);
  expect(await (await ask(`http://127.0.0.1:${none}/auth/oidc/about`)).json()).toEqual({
    host: null,
    waits: false,
  });
  expect(await (await ask(`http://127.0.0.1:${port}/auth/oidc/about`)).json()).toEqual({
    host: new URL(provider.issuer).host,
    waits: false,
  });
  const gone = await listen({ provider: { issuer: "http://127.0.0.1:1", clientId: "x", clientSecret: "y" } });
  const response = await ask(`http://127.0.0.1:${gone}/auth/oidc`);
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain("ECONNREFUSED");
});

describe("who must have a second factor", () => {
  let accounts = 0;
  /** An account in a domain that wants one. */
  async function person(): Promise<string> {
    const address = `person${++accounts}@strict.test`;
    await addAccount(admin, { address, name: "", password: "correct horse battery", quota: 0 });
    await requireSecondFactor(admin, "strict.test", true);
    provider.user = { sub: address, email: address, email_verified: true };
    return address;
  }
  const stepOf = (response: Response) => cookiesOf(response).find((one) => /^posthorn-oidc-step=./.test(one));
  const post = async (path: string, body: object, cookie = "", more: Record<string, string> = {}, at = port) => {
    const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin", cookie, ...more };
    const answer = await fetch(`http://127.0.0.1:${at}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, answer, body: (text === "" ? {} : JSON.parse(text)) as Record<string, string> };
  };
  const bits = (secret: string) =>
    [...secret].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0")).join("");
  const code = (secret: string, by = 0) => {
    const bytes = bits(secret).match(/.{8}/g)!;
    return totpCode(Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))), stepAt(new Date()) + by);
  };
  /** Comes from the provider, and sets one up. */
  async function enrol() {
    const response = await signIn();
    expect(sessionOf(response)).toBeUndefined();
    const begun = await post("/auth/oidc/step", {}, stepOf(response));
    const { ticket, secret } = (await post("/auth/factors/totp/begin", { ticket: begun.body.ticket })).body;
    const added = await post("/auth/factors/totp", { ticket, code: code(secret!) });
    return { begun, added, secret: secret!, response };
  }

  test("sets one up before anything else, and is asked for it from then on; the provider's word does not stand for it", async () => {
    await person();
    const { begun, added, secret, response } = await enrol();
    expect([response.status, whereTo(response)]).toEqual([303, "/"]);
    expect(response.headers.getSetCookie()[0]).toMatch(/; Max-Age=600; HttpOnly; SameSite=Strict$/);
    expect(begun.body.step).toBe("set-up");
    expect(sessionOf(added.answer)).toBeDefined();
    // A provider that claims anything of the kind, unasked, is not believed.
    provider.spoiled = { claims: { acr: "mfa", amr: ["mfa", "otp"] } };
    const again = await signIn();
    expect(sessionOf(again)).toBeUndefined();
    const asked = await post("/auth/oidc/step", {}, stepOf(again));
    expect(asked.body.step).toBe("second-factor");
    const { ticket } = asked.body;
    expect((await post("/auth/second-factor", { ticket, code: code(secret) })).status).toBe(401);
    const proved = await post("/auth/second-factor", { ticket, code: code(secret, 1) });
    expect([proved.status, sessionOf(proved.answer) !== undefined]).toEqual([204, true]);
  });

  test("gets nowhere with the ticket of the step by itself, as another's, late, at another door, or for another step", async () => {
    await person();
    await enrol();
    const step = stepOf(await signIn())!;
    const value = step.slice(step.indexOf("=") + 1);
    expect((await post("/auth/oidc/step", {})).body.code).toBe("begin-again");
    expect((await post("/auth/oidc/step", {}, `${step}; ${step}`)).body.code).toBe("begin-again");
    expect((await post("/auth/oidc/step", {}, `${step.slice(0, -3)}abc`)).body.code).toBe("begin-again");
    expect((await post("/auth/oidc/step", {}, step, { "sec-fetch-site": "same-site" })).status).toBe(403);
    for (const path of ["/auth/second-factor", "/auth/factors/totp/begin"]) {
      expect((await post(path, { ticket: value, code: "000000" })).body.code).toBe("begin-again");
    }
    expect((await ask(`http://127.0.0.1:${world.port}/jmap/session`, `posthorn=${value}`)).status).toBe(401);
    // The operators' door knows no provider, and takes no tickets of the inbox.
    expect((await post("/auth/oidc/step", {}, step, { "x-operators": "1" })).status).toBe(404);
    const { ticket } = (await post("/auth/oidc/step", {}, step)).body;
    const elsewhere = await post("/auth/second-factor", { ticket, code: "000000" }, "", { "x-operators": "1" });
    expect(elsewhere.body.code).toBe("begin-again");
    // A changed password ends what was begun.
    const late = stepOf(await signIn());
    await setPassword(admin, provider.user.email as string, "another battery");
    const begun = await post("/auth/oidc/step", {}, late);
    const refused = await post("/auth/second-factor", { ticket: begun.body.ticket, code: "000000" });
    expect(refused.status).toBe(401);
  });

  test("is asked for none where the operator takes the provider's for it, and says so by the acr", async () => {
    const at = await listen({ strong: ["phr", "urn:example:mfa"] });
    await person();
    expect((await away(at)).asked.searchParams.get("acr_values")).toBe("phr urn:example:mfa");
    for (const acr of [undefined, "pwd", ["phr"], "phr urn:example:mfa", "PHR"]) {
      provider.spoiled = { claims: { acr } };
      const weak = await signIn(at);
      expect([sessionOf(weak), stepOf(weak) !== undefined]).toEqual([undefined, true]);
    }
    provider.spoiled = { claims: { acr: "phr" } };
    const cookie = sessionOf(await signIn(at));
    expect(cookie).toBeDefined();
    // Though the account has none, and its domain wants one.
    const talk = createOauthTalk(world.port);
    const page = { ...ownPage, cookie: cookie! };
    expect((await talk.ask("/jmap/session", { headers: page })).json.username).toBe(provider.user.email);
    expect(await talk.obtain(page, await talk.register())).toHaveProperty("access_token");
  });

  test("stays signed in when they asked for it, for 30 days, by way of the second step, too", async () => {
    provider.user = { sub: "1", email: known.user, email_verified: true };
    const left = await ask(`http://127.0.0.1:${port}/auth/oidc?to=%2F&stay=1`);
    const back = await ask(whereTo(left));
    const response = await ask(whereTo(back), cookiesOf(left)[0]);
    expect(response.headers.getSetCookie()[0]).toMatch(/^posthorn=posthorn_.*; Max-Age=2592000; HttpOnly/);
    const session = (await signIn()).headers.getSetCookie()[0];
    expect(session).not.toMatch(/Max-Age/);
    await person();
    const begun = await ask(`http://127.0.0.1:${port}/auth/oidc?stay=1`);
    const strict = await ask(whereTo(await ask(whereTo(begun))), cookiesOf(begun)[0]);
    const { ticket: first } = (await post("/auth/oidc/step", {}, stepOf(strict))).body;
    const { ticket, secret } = (await post("/auth/factors/totp/begin", { ticket: first })).body;
    const added = await post("/auth/factors/totp", { ticket, code: code(secret!) });
    expect(added.answer.headers.getSetCookie()[0]).toMatch(/Max-Age=2592000/);
  });
});
