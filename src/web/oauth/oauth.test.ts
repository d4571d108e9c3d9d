import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { testAdmin } from "../../../test/support/admin.ts";
import { basic, createHttpWorld, known } from "../../../test/support/http-world.ts";
import { type Answer, createOauthTalk, mailScope, native, ownPage, redirect } from "../../../test/support/oauth.ts";
import { addAccount, setPassword } from "../../admin/accounts.ts";
import { addOauthClient, removeOauthClient } from "../../admin/oauth-clients.ts";
import { addToken, listCredentials, revokeCredential } from "../../admin/tokens.ts";
import { encodeId } from "../../base/ids.ts";
import { capabilities } from "../../jmap/capability-names.ts";

const world = await createHttpWorld();
const { port, deps } = world;
const { services } = deps;
const admin = { ...testAdmin(services.store), bus: services.bus };
const talk = createOauthTalk(port);
const { ask, newAsk, codeOf, redeem, refresh, obtain } = talk;
/** All that this door knows. */
const used = Object.values(capabilities).filter((name) => name !== capabilities.operator);
const account = encodeId("u", world.account);

let page: Record<string, string>;
let client: string;
beforeAll(async () => {
  page = await talk.signIn(known.user, known.password);
  client = await talk.register();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const session = (token: string) => ask("/jmap/session", { headers: bearer(token) });
const opens = async (token: string) => (await session(token)).status === 200;
async function call(token: string, name: string, args: object = { accountId: account }) {
  const using = used;
  const { json } = await ask("/jmap/api", {
    headers: bearer(token),
    body: { using, methodCalls: [[name, args, "c"]] },
  });
  return json.methodResponses[0].slice(0, 2) as [string, Record<string, unknown>];
}
/** Where the browser is sent. */
const sentTo = ({ json }: Answer) => new URL(json.to);
const wrongGrant = { status: 400, json: { error: "invalid_grant" } };

describe("the way of a program to its tokens", () => {
  test("is found from a refused request: resource metadata, server metadata", async () => {
    for (const path of ["/jmap/session", "/.well-known/jmap", "/jmap/api"]) {
      const method = path === "/jmap/api" ? "POST" : "GET";
      const refused = await ask(path, { method });
      expect(refused.status).toBe(401);
      const challenges = refused.headers["www-authenticate"]!;
      const url = /resource_metadata="([^"]+)"/.exec(challenges)![1]!;
      expect(url).toBe(`${talk.issuer}/.well-known/oauth-protected-resource${path}`);
      const resource = await ask(new URL(url).pathname);
      expect(resource.json).toMatchObject({ resource: `${talk.issuer}${path}`, authorization_servers: [talk.issuer] });
      expect(resource.headers["access-control-allow-origin"]).toBe("*");
    }
    const { json } = await ask("/.well-known/oauth-authorization-server");
    expect(json).toMatchObject({
      issuer: talk.issuer,
      registration_endpoint: `${talk.issuer}/oauth/register`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      token_endpoint_auth_methods_supported: ["none"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
    });
    expect(json.scopes_supported).toContain(mailScope);
  });

  test("a script of another origin is told as well, and a page of our own gets no challenge", async () => {
    const script = await ask("/jmap/session", { headers: { origin: "https://app.test", ...bearer("posthorn_1.x") } });
    expect(script.headers["www-authenticate"]).toMatch(/^Bearer realm="posthorn", error="invalid_token", resource_/);
    expect((await ask("/jmap/session", { headers: ownPage })).headers).not.toHaveProperty("www-authenticate");
  });

  test("is no way over an unencrypted connection", async () => {
    const plain = createOauthTalk(port, "http://mail.test");
    expect((await plain.ask("/.well-known/oauth-authorization-server")).status).toBe(404);
    expect((await plain.ask("/oauth/token", { form: {} })).status).toBe(404);
    expect((await plain.ask("/jmap/session")).headers["www-authenticate"]).not.toContain("resource_metadata");
  });

  test("ends with tokens that open the account for an hour, and are renewed", async () => {
    const { query, verifier, parameters } = newAsk(client, { resource: `${talk.issuer}/jmap/session` });
    const shown = await ask("/oauth/request", { headers: page, body: { query } });
    expect(shown.json).toEqual({
      login: known.user,
      client: { name: "Ltt.rs", uri: "", isVerified: false },
      redirectUri: redirect,
      scopes: [mailScope],
    });
    const to = sentTo(await talk.decide(page, query));
    expect(`${to.origin}${to.pathname}`).toBe(redirect);
    expect(to.searchParams.get("state")).toBe(parameters.state);
    expect(to.searchParams.get("iss")).toBe(talk.issuer);
    const first = await redeem(client, to.searchParams.get("code")!, verifier);
    expect(first.headers["cache-control"]).toBe("no-store");
    expect(first.json).toMatchObject({ token_type: "Bearer", expires_in: 3600, scope: mailScope });
    expect(first.json.access_token).toMatch(new RegExp(`^posthorn_${world.account}\\.`));
    expect((await call(first.json.access_token, "Email/query"))[0]).toBe("Email/query");
    const second = await refresh(client, first.json.refresh_token);
    expect(second.json.refresh_token).not.toBe(first.json.refresh_token);
    expect(await opens(second.json.access_token)).toBe(true);
    // The first one lives on, for the rest of its hour.
    expect(await opens(first.json.access_token)).toBe(true);
  });

  test("whoever says no is believed", async () => {
    const { query } = newAsk(client);
    const to = sentTo(await talk.decide(page, query, false));
    expect(to.searchParams.get("error")).toBe("access_denied");
    expect(to.searchParams.get("iss")).toBe(talk.issuer);
    expect(to.searchParams.has("code")).toBe(false);
  });
});

describe("registering", () => {
  test.each([
    ["a page in the web", "https://evil.test/callback"],
    ["a page without TLS", "http://evil.test/callback"],
    ["localhost by name", "http://localhost/callback"],
    ["a name that begins like loopback", "http://127.0.0.1.evil.test/"],
    ["a user in front of another host", "http://127.0.0.1/@evil.test/../"],
    ["a script", "javascript:alert(1)"],
    ["data", "data:text/html,x"],
    ["a scheme without a dot", "app:/callback"],
    ["a fragment", "com.example:/callback#x"],
    ["dots that climb", "http://127.0.0.1/a/../b"],
    ["a space", "com.example:/a b"],
  ])("a redirect to %s is refused", async (_, uri) => {
    const answer = await ask("/oauth/register", { body: { redirect_uris: [native, uri], client_name: "x" } });
    expect(answer).toMatchObject({ status: 400, json: { error: "invalid_redirect_uri" } });
  });

  test.each([
    ["a secret", { token_endpoint_auth_method: "client_secret_basic" }],
    ["the implicit grant", { response_types: ["token"] }],
    ["no refresh tokens", { grant_types: ["authorization_code"] }],
    ["no name", { client_name: " \u202e " }],
    ["a page of its own without TLS", { client_uri: "http://example.com" }],
    ["a scope that is not ours", { scope: "openid" }],
  ])("%s is refused", async (_, more) => {
    const answer = await ask("/oauth/register", { body: { redirect_uris: [native], client_name: "x", ...more } });
    expect(answer).toMatchObject({ status: 400, json: { error: "invalid_client_metadata" } });
  });

  test("the same registration has the same id, and the answer says what was registered", async () => {
    const body = { redirect_uris: [native, "com.example:/cb"], client_name: "A\u202eB", software_version: "1", x: 1 };
    const [one, other] = [await ask("/oauth/register", { body }), await ask("/oauth/register", { body })];
    expect(one.json.client_id).toBe(other.json.client_id);
    expect(one.json).toMatchObject({ redirect_uris: body.redirect_uris, client_name: "A B", software_version: "1" });
    expect(one.json).not.toHaveProperty("x");
  });

  test("an id that was changed is none", async () => {
    const [said, mac] = client.split(".") as [string, string];
    const other = JSON.parse(Buffer.from(said, "base64url").toString());
    other[0] = ["https://evil.test/"];
    const forged = `${Buffer.from(JSON.stringify(other)).toString("base64url")}.${mac}`;
    const { query } = newAsk(forged, { redirect_uri: "https://evil.test/" });
    expect(await talk.decide(page, query)).toMatchObject({ status: 400, json: { detail: expect.any(String) } });
  });

  test("a network registers sixty programs in an hour at most", async () => {
    const headers = { "x-forwarded-for": "203.0.113.7" };
    const body = { redirect_uris: [native], client_name: "x" };
    for (let at = 0; at < 60; at++) expect((await ask("/oauth/register", { headers, body })).status).toBe(201);
    expect((await ask("/oauth/register", { headers, body })).status).toBe(429);
    expect((await ask("/oauth/register", { body })).status).toBe(201);
  });
});

describe("what a browser is sent to", () => {
  const refused = { status: 400, json: { detail: expect.any(String) } };

  test.each([
    ["an unknown program", { client_id: "posthorn-nobody" }],
    ["no program", { client_id: undefined }],
    ["no redirect", { redirect_uri: undefined }],
    ["another path", { redirect_uri: "http://127.0.0.1:49152/other" }],
    ["a longer path", { redirect_uri: `${redirect}/x` }],
    ["a query", { redirect_uri: `${redirect}?x=1` }],
    ["a user", { redirect_uri: "http://127.0.0.1:49152@evil.test/callback" }],
    ["another host", { redirect_uri: "http://evil.test/callback" }],
    ["another loopback address", { redirect_uri: "http://[::1]:49152/callback" }],
    ["a port that is none", { redirect_uri: "http://127.0.0.1:99999/callback" }],
    ["TLS", { redirect_uri: "https://127.0.0.1:49152/callback" }],
  ])("is nothing for %s (no open redirector)", async (_, more) => {
    const { query } = newAsk(client, more);
    expect(await ask("/oauth/request", { headers: page, body: { query } })).toMatchObject(refused);
    expect(await talk.decide(page, query)).toMatchObject(refused);
    expect(await talk.decide(page, query, false)).toMatchObject(refused);
  });

  test("is nothing when program or redirect are there twice", async () => {
    const { query } = newAsk(client);
    for (const more of [`&redirect_uri=${redirect}`, `&client_id=${client}`]) {
      expect(await talk.decide(page, query + more)).toMatchObject(refused);
    }
  });

  test.each([
    ["no PKCE (a downgrade)", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["PKCE by plain", { code_challenge_method: "plain" }, "invalid_request"],
    ["PKCE without a method, which means plain", { code_challenge_method: undefined }, "invalid_request"],
    ["a challenge that is no hash", { code_challenge: "short" }, "invalid_request"],
    ["the implicit grant", { response_type: "token" }, "unsupported_response_type"],
    ["an answer in the fragment", { response_mode: "fragment" }, "invalid_request"],
    ["a request object", { request: "x" }, "request_not_supported"],
    ["no scope", { scope: undefined }, "invalid_scope"],
    ["a scope that is not ours", { scope: "openid" }, "invalid_scope"],
    ["a resource of another server", { resource: "https://evil.test/jmap/session" }, "invalid_target"],
    ["a resource that is none", { resource: "http://127.0.0.1/x" }, "invalid_target"],
  ])("is an error for %s", async (_, more, error) => {
    const { query, parameters } = newAsk(client, more);
    for (const answer of [
      await ask("/oauth/request", { headers: page, body: { query } }),
      await talk.decide(page, query),
    ]) {
      const to = sentTo(answer);
      expect(`${to.origin}${to.pathname}`).toBe(redirect);
      const { searchParams: said } = to;
      expect([said.get("error"), said.get("state"), said.get("iss")]).toEqual([error, parameters.state, talk.issuer]);
      expect(said.has("code")).toBe(false);
    }
  });

  test("a program asks for no more than it registered", async () => {
    const narrow = await talk.register({ scope: capabilities.mail });
    const { query } = newAsk(narrow, { scope: `${mailScope} ${capabilities.mail}` });
    expect((await ask("/oauth/request", { headers: page, body: { query } })).json.scopes).toEqual([capabilities.mail]);
    expect(sentTo(await talk.decide(page, newAsk(narrow).query)).searchParams.get("error")).toBe("invalid_scope");
  });

  test("a scheme of a program's own is kept as it is", async () => {
    const app = await talk.register({ redirect_uris: ["com.example.app:/cb?a=b"] });
    const { query } = newAsk(app, { redirect_uri: "com.example.app:/cb?a=b" });
    expect((await talk.decide(page, query)).json.to).toMatch(/^com\.example\.app:\/cb\?a=b&code=posthorn_c/);
  });
});

describe("who may answer the question", () => {
  test.each([
    ["nobody who is signed in", async () => ownPage, 401],
    ["a password", async () => ({ ...ownPage, authorization: basic(known.user, known.password) }), 401],
    ["a page of another site (CSRF)", async () => ({ ...page, "sec-fetch-site": "cross-site" }), 403],
    ["a page of a subdomain", async () => ({ ...page, "sec-fetch-site": "same-site" }), 403],
    [
      "an old browser's page of another origin",
      async () => ({ cookie: page.cookie!, origin: "http://evil.test" }),
      403,
    ],
    ["a form", async () => ({ ...page, "content-type": "text/plain" }), 415],
  ])("not %s", async (_, headers, status) => {
    const { query } = newAsk(client);
    for (const path of ["/oauth/request", "/oauth/answer"]) {
      expect((await ask(path, { headers: await headers(), body: { query, allow: true } })).status).toBe(status);
    }
  });

  test("not a program with its token, nor an operator's token, by header or as a cookie", async () => {
    const { access_token: token } = await obtain(page, client, capabilities.submission);
    const { secret } = await addToken(admin, known.user, { label: "", days: 1 });
    const { query } = newAsk(client);
    for (const one of [token, secret]) {
      expect((await talk.decide({ ...ownPage, ...bearer(one) }, query)).status).toBe(401);
      expect((await talk.decide({ ...ownPage, cookie: `posthorn=${one}` }, query)).status).toBe(401);
    }
  });

  test("not whose sign-in has ended", async () => {
    const ended = await talk.signIn(known.user, known.password);
    await ask("/auth/logout", { headers: ended, body: {} });
    expect((await talk.decide(ended, newAsk(client).query)).status).toBe(401);
  });
});

describe("a code", () => {
  test("that is used twice ends what came of it (RFC 9700 §4.5)", async () => {
    const { query, verifier } = newAsk(client);
    const code = await codeOf(page, query);
    const { json } = await redeem(client, code, verifier);
    expect(await opens(json.access_token)).toBe(true);
    // A thief has no verifier.
    expect(await redeem(client, code, "x".repeat(43))).toMatchObject(wrongGrant);
    expect(await opens(json.access_token)).toBe(false);
    expect(await refresh(client, json.refresh_token)).toMatchObject(wrongGrant);
  });

  test("that is redeemed twice at once gives tokens once at most", async () => {
    const { query, verifier } = newAsk(client);
    const code = await codeOf(page, query);
    const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(client, code, verifier)));
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).toBeLessThanOrEqual(1);
    for (const { json } of given) expect(await opens(json.access_token)).toBe(false);
  });

  test.each([
    ["another verifier (a code that was put into another's flow)", { code_verifier: "y".repeat(43) }],
    ["an empty verifier's hash", { code_verifier: "a".repeat(42) }],
    ["another redirect", { redirect_uri: "http://127.0.0.1:50000/callback" }],
  ])("is nothing with %s", async (_, more) => {
    const { query, verifier } = newAsk(client);
    expect(await redeem(client, await codeOf(page, query), verifier, more)).toMatchObject(wrongGrant);
  });

  test("is nothing without a verifier, by another program, changed, or of another account", async () => {
    const { query, verifier } = newAsk(client);
    const code = await codeOf(page, query);
    expect(await redeem(client, code, "")).toMatchObject({ status: 400, json: { error: "invalid_request" } });
    const other = await talk.register({ client_name: "Another" });
    expect(await redeem(other, code, verifier)).toMatchObject(wrongGrant);
    expect(await redeem("posthorn-none", code, verifier)).toMatchObject({ json: { error: "invalid_client" } });
    const elsewhere = code.replace(/_c\d+/, "_c999999999");
    for (const wrong of [`${code}x`, code.slice(0, -1), elsewhere, "x", code.replace(/\w(?=\.)/, "q")]) {
      expect(await redeem(client, wrong, verifier)).toMatchObject(wrongGrant);
    }
    // None of this used it up.
    expect((await redeem(client, code, verifier)).status).toBe(200);
  });

  test("does not open the account by itself", async () => {
    const code = await codeOf(page, newAsk(client).query);
    expect(await opens(code)).toBe(false);
  });
});

describe("a refresh token", () => {
  test("that is used twice ends all of the grant, whoever was first (RFC 9700 §4.14)", async () => {
    const first = await obtain(page, client);
    const second = (await refresh(client, first.refresh_token)).json;
    const { socket, closed } = await openSocket(second.access_token);
    expect(await refresh(client, first.refresh_token)).toMatchObject(wrongGrant);
    expect(await closed).toBe(1008);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    for (const token of [first.access_token, second.access_token]) expect(await opens(token)).toBe(false);
    expect(await refresh(client, second.refresh_token)).toMatchObject(wrongGrant);
  });

  test("that is used twice at once ends it too", async () => {
    const { refresh_token: token } = await obtain(page, client);
    const answers = await Promise.all([refresh(client, token), refresh(client, token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const { json } = answers.find(({ status }) => status === 200)!;
    expect(await opens(json.access_token)).toBe(false);
  });

  test("that is guessed ends nothing", async () => {
    const { refresh_token: token } = await obtain(page, client);
    const [start, grant, family, own] = token.split(".") as [string, string, string, string];
    const guessed = [start, grant, "A".repeat(22), own].join(".");
    expect(await refresh(client, guessed)).toMatchObject(wrongGrant);
    expect(await refresh(client, [start, "aaaaaaaa", family, own].join("."))).toMatchObject(wrongGrant);
    const other = await talk.register({ client_name: "Another" });
    expect(await refresh(other, token)).toMatchObject(wrongGrant);
    expect((await refresh(client, token)).status).toBe(200);
  });

  test("gives less when less is asked for, and never more", async () => {
    const both = `${capabilities.mail} ${capabilities.submission}`;
    const first = await obtain(page, client, both);
    const less = (await refresh(client, first.refresh_token, { scope: capabilities.mail })).json;
    expect(less.scope).toBe(capabilities.mail);
    const more = await refresh(client, less.refresh_token, { scope: mailScope });
    expect(more).toMatchObject({ status: 400, json: { error: "invalid_scope" } });
    expect((await refresh(client, less.refresh_token)).json.scope).toBe(both);
  });
});

describe("giving a token back (RFC 7009)", () => {
  const revoke = (token: string, clientId = client) => ask("/oauth/revoke", { form: { token, client_id: clientId } });

  test("ends the grant of a refresh token at once", async () => {
    const { access_token: token, refresh_token: again } = await obtain(page, client);
    expect(await opens(token)).toBe(true);
    expect((await revoke(again)).status).toBe(200);
    expect(await opens(token)).toBe(false);
    expect(await refresh(client, again)).toMatchObject(wrongGrant);
    expect((await revoke(again)).status).toBe(200);
  });

  test("ends an access token alone", async () => {
    const { access_token: token, refresh_token: again } = await obtain(page, client);
    expect(await opens(token)).toBe(true);
    expect((await revoke(token)).status).toBe(200);
    expect(await opens(token)).toBe(false);
    expect((await refresh(client, again)).status).toBe(200);
  });

  test("is not for another program, nor for tokens that are not of OAuth", async () => {
    const { access_token: token, refresh_token: again } = await obtain(page, client);
    const { secret } = await addToken(admin, known.user, { label: "", days: 1 });
    const other = await talk.register({ client_name: "Another" });
    for (const [one, by] of [
      [token, other],
      [again, other],
      [secret, client],
      ["nonsense", client],
    ] as const) {
      expect((await revoke(one, by)).status).toBe(200);
    }
    expect([await opens(token), await opens(secret)]).toEqual([true, true]);
    expect((await refresh(client, again)).status).toBe(200);
  });
});

describe("scopes", () => {
  const email = ["Email/query", "Email/get", "Mailbox/get", "Blob/get", "SearchSnippet/get", "PushSubscription/get"];

  test("the interoperable one opens all of the mail, but not what the login signs in with", async () => {
    const { access_token: token } = await obtain(page, client);
    const { json } = await session(token);
    expect(Object.keys(json.capabilities)).toEqual(
      expect.arrayContaining([capabilities.mail, capabilities.submission]),
    );
    expect(json.capabilities).not.toHaveProperty([capabilities.account]);
    for (const name of ["SignIn/get", "AppPassword/set", "Password/set", "SignIn/set"]) {
      expect(await call(token, name, {})).toMatchObject(["error", { type: "forbidden" }]);
    }
  });

  test("without that for mail, mail is neither read nor heard of", async () => {
    for (const scope of [capabilities.submission, capabilities.vacation, capabilities.core]) {
      const { access_token: token } = await obtain(page, client, scope);
      const { json } = await session(token);
      const { accountCapabilities } = json.accounts[account];
      for (const shown of [json.capabilities, accountCapabilities, json.primaryAccounts]) {
        for (const name of [capabilities.mail, capabilities.blob]) expect(shown).not.toHaveProperty([name]);
      }
      for (const name of email) {
        const args = name.startsWith("Push") ? { ids: null } : { accountId: account };
        expect(await call(token, name, args), name).toMatchObject(["error", { type: "forbidden" }]);
      }
      const headers = bearer(token);
      expect((await ask(`/jmap/download/${account}/bx/x`, { headers })).status).toBe(403);
      expect((await ask(`/jmap/upload/${account}/`, { headers, body: {} })).status).toBe(403);
      expect((await ask("/jmap/eventsource?types=*&closeafter=state&ping=0", { headers })).status).toBe(403);
      const { socket } = await openSocket(token);
      socket.send(JSON.stringify({ "@type": "WebSocketPushEnable", dataTypes: null }));
      const [said] = await once(socket, "message");
      expect(JSON.parse(String(said))).toMatchObject({ "@type": "RequestError", status: 403 });
      expect((await call(token, "Core/echo", { a: 1 }))[0]).toBe("Core/echo");
    }
  });

  test("with that for mail alone, none is sent", async () => {
    const { access_token: token } = await obtain(page, client, capabilities.mail);
    expect((await call(token, "Email/query"))[0]).toBe("Email/query");
    for (const name of ["EmailSubmission/set", "Identity/get", "MDN/send", "VacationResponse/set"]) {
      expect(await call(token, name), name).toMatchObject(["error", { type: "forbidden" }]);
    }
  });

  test("with that for the absence note, only that is changed", async () => {
    const { access_token: token } = await obtain(page, client, capabilities.vacation);
    expect((await call(token, "VacationResponse/get", { accountId: account, ids: null }))[0]).toBe(
      "VacationResponse/get",
    );
  });
});

describe("a grant ends", () => {
  const credentials = async () => (await listCredentials(admin, known.user)).credentials;

  test("in the settings of its owner, who sees it by the program's name", async () => {
    const { access_token: token } = await obtain(page, client);
    const asOwner = async (name: string, args: object) => {
      const body = { using: used, methodCalls: [[name, args, "c"]] };
      return (await ask("/jmap/api", { headers: page, body })).json.methodResponses[0][1];
    };
    const { list } = await asOwner("SignIn/get", { ids: null });
    const grants = list.filter(({ kind }: { kind: string }) => kind === "application");
    const newest = grants.at(-1);
    expect(newest).toMatchObject({ label: "Ltt.rs", agent: null, isCurrent: false, lastUsedAt: expect.any(String) });
    const { closed } = await openSocket(token);
    expect((await asOwner("SignIn/set", { destroy: [newest.id] })).destroyed).toEqual([newest.id]);
    expect(await closed).toBe(1008);
    expect(await opens(token)).toBe(false);
  });

  test("by the operator", async () => {
    const { access_token: token, refresh_token: again } = await obtain(page, client);
    const grant = (await credentials()).findLast(({ kind }) => kind === "grant")!;
    await revokeCredential(admin, known.user, grant.id);
    expect(await opens(token)).toBe(false);
    expect(await refresh(client, again)).toMatchObject(wrongGrant);
  });

  test("when the password is changed, with codes that were not redeemed yet", async () => {
    const own = { address: "changes@here.test", password: "the first one" };
    await addAccount(admin, { ...own, name: "", quota: 0 });
    const theirs = await talk.signIn(own.address, own.password);
    const { access_token: token, refresh_token: again } = await obtain(theirs, client);
    const { query, verifier } = newAsk(client);
    const code = await codeOf(theirs, query);
    await setPassword(admin, own.address, "another password");
    expect(await opens(token)).toBe(false);
    expect(await refresh(client, again)).toMatchObject(wrongGrant);
    expect(await redeem(client, code, verifier)).toMatchObject(wrongGrant);
    expect((await talk.decide(theirs, query)).status).toBe(401);
  });

  test("within the hour when the operator removes the program", async () => {
    const callback = "https://webmail.test/callback";
    const { id, name } = await addOauthClient(admin, { name: "Team webmail", redirectUris: [callback] });
    const { query, verifier } = newAsk(id, { redirect_uri: callback });
    const shown = await ask("/oauth/request", { headers: page, body: { query } });
    expect(shown.json).toMatchObject({ client: { name, isVerified: true }, redirectUri: callback });
    const code = await codeOf(page, query);
    const { json } = await redeem(id, code, verifier, { redirect_uri: callback });
    expect((await refresh(id, json.refresh_token)).status).toBe(200);
    await removeOauthClient(admin, id);
    expect(await refresh(id, json.refresh_token)).toMatchObject({ json: { error: "invalid_client" } });
    expect(await talk.decide(page, query)).toMatchObject({ status: 400 });
  });

  test.each(["http://webmail.test/", "https://webmail.test/#x", "https://u:p@webmail.test/", "javascript:x", "x"])(
    "an operator cannot register %s",
    async (uri) => {
      await expect(addOauthClient(admin, { name: "x", redirectUris: [uri] })).rejects.toMatchObject({
        why: { type: "notARedirect", text: uri },
      });
    },
  );
});

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

async function openSocket(token: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/jmap/ws`, "jmap", { headers: bearer(token) });
  sockets.push(socket);
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  return { socket, closed };
}

test("nothing of all this was logged as an error", () => {
  expect(world.failures).toEqual([]);
});
