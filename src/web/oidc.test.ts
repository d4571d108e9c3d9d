import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { afterwards } from "../../test/support/afterwards.ts";
import { createHttpWorld, known } from "../../test/support/http-world.ts";
import { createIdentityProvider } from "../../test/support/identity-provider.ts";
import { createOauthTalk, ownPage } from "../../test/support/oauth.ts";
import { addAccount } from "../admin/accounts.ts";
import { Oidc } from "./oidc.ts";

const world = await createHttpWorld();
const { deps } = world;
const { store, random, log } = deps.services;
const admin = testAdmin(store);
const client = { id: "posthorn", secret: "the secret" };
const provider = await createIdentityProvider(client);

/** The server with an identity provider, as `src/cli/http.ts` joins them. */
async function listen(more: object = {}) {
  const means = { store, random, log, proxies: deps.proxies };
  const named = { issuer: provider.issuer, clientId: client.id, clientSecret: client.secret };
  const oidc = new Oidc({ ...means, provider: named, ...more });
  const server = createServer((req, res) => {
    if (!oidc.serve(req, res)) res.writeHead(418).end();
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
  expect(await (await ask(`http://127.0.0.1:${none}/auth/oidc/about`)).json()).toEqual({ host: null });
  expect(await (await ask(`http://127.0.0.1:${port}/auth/oidc/about`)).json()).toEqual({
    host: new URL(provider.issuer).host,
  });
  const gone = await listen({ provider: { issuer: "http://127.0.0.1:1", clientId: "x", clientSecret: "y" } });
  const response = await ask(`http://127.0.0.1:${gone}/auth/oidc`);
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain("ECONNREFUSED");
});
