import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import type { Client } from "../conformance/client/client.ts";
import { one } from "../conformance/client/client.ts";
import { openEventSource } from "../conformance/client/eventsource.ts";
import type { GetResult, Json, SetResult } from "../conformance/client/types.ts";
import { openWebSocket, SocketRequestError, webSocketUrl } from "../conformance/client/websocket.ts";
import { type Endpoint, endpoints } from "../src/jmap/http/server.ts";
import { methods } from "../src/jmap/methods.ts";
import { message } from "./support/messages.ts";
import { isMix, startSystem } from "./support/mix.ts";
import type { System } from "./support/system.ts";

/** Texts that occur in the victim's data alone: no answer to another user may contain them. */
const secret = "xylophonesecret";

interface Names {
  /** A mailbox of the thief, so that an attack can fail only because of the victim's object that it names. */
  own: string;
  mailbox: string;
  email: string;
  thread: string;
  blob: string;
  identity: string;
  submission: string;
  masked: string;
  pushSubscription: string;
  appPassword: string;
  signIn: string;
}

/** Methods whose arguments name no object, and why. */
const harmless: Record<string, string> = { "Core/echo": "gives back what it was given" };

/** Arguments that name the victim's objects, for each other method; a method that is missing here fails the test below. */
const attacks: Record<string, (victim: Names) => Json> = {
  "Mailbox/get": ({ mailbox }) => ({ ids: [mailbox] }),
  "Mailbox/changes": () => ({ sinceState: "1-0" }),
  "Mailbox/query": ({ mailbox }) => ({ filter: { parentId: mailbox } }),
  "Mailbox/queryChanges": () => ({ sinceQueryState: "1-0", filter: { name: secret } }),
  "Mailbox/set": ({ mailbox }) => ({
    create: { a: { name: "child", parentId: mailbox } },
    update: { [mailbox]: { name: "mine" } },
    destroy: [`${mailbox}`],
  }),
  "Thread/get": ({ thread }) => ({ ids: [thread] }),
  "Thread/changes": () => ({ sinceState: "1-0" }),
  "Email/get": ({ email }) => ({ ids: [email], fetchAllBodyValues: true }),
  "Email/changes": () => ({ sinceState: "1-0" }),
  "Email/query": ({ mailbox }) => ({
    filter: { operator: "OR", conditions: [{ inMailbox: mailbox }, { text: secret }] },
  }),
  "Email/queryChanges": () => ({ sinceQueryState: "1-0", filter: { text: secret } }),
  "Email/set": ({ email, mailbox, blob, own }) => ({
    create: {
      a: { mailboxIds: { [mailbox]: true }, subject: "in the victim's mailbox" },
      b: { mailboxIds: { [own]: true }, attachments: [{ blobId: blob, type: "text/plain" }] },
    },
    update: { [email]: { "keywords/$seen": true } },
    destroy: [email],
  }),
  "Email/copy": ({ email, own }) => ({ create: { a: { id: email, mailboxIds: { [own]: true } } } }),
  "Email/import": ({ blob, mailbox, own }) => ({
    emails: { a: { blobId: blob, mailboxIds: { [own]: true } }, b: { blobId: blob, mailboxIds: { [mailbox]: true } } },
  }),
  "Email/parse": ({ blob }) => ({ blobIds: [blob], fetchAllBodyValues: true }),
  "SearchSnippet/get": ({ email }) => ({ emailIds: [email], filter: { text: secret } }),
  "Identity/get": ({ identity }) => ({ ids: [identity] }),
  "Identity/changes": () => ({ sinceState: "1-0" }),
  "Identity/set": ({ identity }) => ({ update: { [identity]: { name: "mine" } }, destroy: [identity] }),
  "EmailSubmission/get": ({ submission }) => ({ ids: [submission] }),
  "EmailSubmission/changes": () => ({ sinceState: "1-0" }),
  "EmailSubmission/query": ({ email }) => ({ filter: { emailIds: [email] } }),
  "EmailSubmission/queryChanges": () => ({ sinceQueryState: "1-0" }),
  "EmailSubmission/set": ({ submission, email, identity }) => ({
    create: { a: { emailId: email, identityId: identity } },
    update: { [submission]: { undoStatus: "canceled" } },
    destroy: [submission],
  }),
  "VacationResponse/get": () => ({}),
  "VacationResponse/set": () => ({}),
  "Blob/copy": ({ blob }) => ({ blobIds: [blob] }),
  "Blob/get": ({ blob }) => ({ ids: [blob] }),
  "Blob/lookup": ({ blob }) => ({ ids: [blob], typeNames: ["Email", "Thread", "Mailbox"] }),
  "Blob/upload": ({ blob }) => ({ create: { a: { data: [{ blobId: blob }], type: "text/plain" } } }),
  "Quota/get": () => ({ ids: null }),
  "Quota/changes": () => ({ sinceState: "1-0" }),
  "Quota/query": () => ({}),
  "Quota/queryChanges": () => ({ sinceQueryState: "1-0" }),
  "MDN/send": ({ email, identity }) => ({
    identityId: identity,
    send: {
      a: {
        forEmailId: email,
        disposition: { actionMode: "manual-action", sendingMode: "mdn-sent-manually", type: "displayed" },
      },
    },
    onSuccessUpdateEmail: { [email]: { "keywords/$mdnsent": true } },
  }),
  "MDN/parse": ({ blob }) => ({ blobIds: [blob] }),
  "DeletedEmail/list": () => ({}),
  "DeletedEmail/restore": ({ email }) => ({ ids: [email] }),
  "SuppressedAddress/list": () => ({}),
  "SuppressedAddress/lift": () => ({ addresses: ["gone@away.test"] }),
  "DataExport/get": () => ({ ids: null }),
  "DataExport/changes": () => ({ sinceState: "1-0" }),
  "DataExport/set": ({ masked }) => ({ destroy: [masked.replace(/^k/, "x")] }),
  "MaskedAddress/get": ({ masked }) => ({ ids: [masked] }),
  "MaskedAddress/changes": () => ({ sinceState: "1-0" }),
  "MaskedAddress/set": ({ masked }) => ({ update: { [masked]: { state: "disabled" } }, destroy: [masked] }),
  "PushSubscription/get": ({ pushSubscription }) => ({ ids: [pushSubscription] }),
  "PushSubscription/set": ({ pushSubscription }) => ({
    update: { [pushSubscription]: { types: [] } },
    destroy: [pushSubscription],
  }),
  "AppPassword/get": ({ appPassword }) => ({ ids: [appPassword] }),
  "AppPassword/set": ({ appPassword }) => ({ destroy: [appPassword] }),
  "SignIn/get": ({ signIn }) => ({ ids: [signIn] }),
  "SignIn/set": ({ signIn }) => ({ destroy: [signIn] }),
  "SecondFactor/get": () => ({ ids: ["singleton"] }),
  "Unsubscribe/post": ({ email }) => ({ emailId: email }),
  "Password/set": () => ({
    update: { singleton: { currentPassword: "victim's password", password: "the thief's choice" } },
  }),
};

const attacked = methods.filter(({ name }) => !Object.hasOwn(harmless, name));
let server: System;
let victim: Client;
let thief: Client;
let names: Names;

/** The victim has many more objects, so that the ids of its last ones do not exist in the thief's account. */
async function fillVictim(): Promise<Omit<Names, "own">> {
  const { accountId } = victim;
  const mailboxes = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`m${n}`, { name: `${secret} ${n}` }]));
  const made = await one<SetResult>(victim, "Mailbox/set", { accountId, create: mailboxes });
  const mailbox = made.created!.m59!.id as string;
  const { blobId: blob } = await victim.upload(
    await message({ from: "victim@home.test", to: "victim@home.test", subject: secret, text: `${secret}\r\n` }),
    "message/rfc822",
  );
  const emails = { a: { blobId: blob, mailboxIds: { [mailbox]: true } } };
  const imported = await one<SetResult>(victim, "Email/import", { accountId, emails });
  const { id: email, threadId: thread } = imported.created!.a as { id: string; threadId: string };
  const identities = await one<GetResult>(victim, "Identity/get", { accountId });
  const more = await one<SetResult>(victim, "Identity/set", {
    accountId,
    create: { i: { ...identities.list[0], id: undefined, mayDelete: undefined, name: secret } },
  });
  const identity = more.created!.i!.id as string;
  const sent = await one<SetResult>(victim, "EmailSubmission/set", {
    accountId,
    create: {
      s: {
        emailId: email,
        identityId: identity,
        envelope: { mailFrom: { email: "victim@home.test" }, rcptTo: [{ email: "victim@home.test" }] },
      },
    },
  });
  const using = ["urn:ietf:params:jmap:core", "https://posthorn.example/jmap/masked-addresses"];
  const create = { a: { label: secret } };
  const masks = await one<SetResult>(victim, "MaskedAddress/set", { accountId, create }, using);
  const masked = masks.created!.a!.id as string;
  const url = `https://push.invalid/${secret}`;
  const wanted = { create: { a: { deviceClientId: secret, url } } };
  const [subscribed] = await victim.call([["PushSubscription/set", wanted, "c"]]);
  const pushSubscription = (subscribed![1] as SetResult).created!.a!.id as string;
  const submission = sent.created!.s!.id as string;
  return { mailbox, email, thread, blob, identity, submission, masked, pushSubscription, ...(await giveCredentials()) };
}

/** An app password and a browser that is signed in. */
async function giveCredentials(): Promise<{ appPassword: string; signIn: string }> {
  const account = ["urn:ietf:params:jmap:core", "https://posthorn.example/jmap/account"];
  const [made] = await victim.call([["AppPassword/set", { create: { a: { label: secret } } }, "c"]], account);
  const signedIn = await victim.fetch(victim.resolve("/auth/login"), {
    method: "POST",
    headers: {
      authorization: undefined,
      "content-type": "application/json",
      "sec-fetch-site": "same-origin",
      "user-agent": secret,
    },
    body: JSON.stringify({ username: "victim@home.test", password: "victim's password" }),
  });
  expect(signedIn.status).toBe(204);
  const [shown] = await victim.call([["SignIn/get", {}, "c"]], account);
  const { id: appPassword } = (made![1] as SetResult).created!.a as { id: string };
  return { appPassword, signIn: (shown![1] as unknown as GetResult).list[0]!.id as string };
}

beforeAll(
  async () => {
    server = await startSystem({ env: { POSTHORN_DEMO: "false", POSTHORN_WEB: "on" } });
    await server.addAccount("victim@home.test", "victim's password");
    await server.addAccount("thief@home.test", "thief's password");
    victim = await server.login("victim@home.test", "victim's password");
    thief = await server.login("thief@home.test", "thief's password");
    const { list } = await one<GetResult>(thief, "Mailbox/get", { accountId: thief.accountId });
    names = { ...(await fillVictim()), own: list[0]!.id as string };
  },
  isMix ? 300_000 : 120_000,
);
afterAll(() => server?.dispose());

test("each method of the registry has an attack here, or a reason for having none", () => {
  const judged = [...Object.keys(attacks), ...Object.keys(harmless)];
  expect(judged.sort()).toEqual(methods.map(({ name }) => name).sort());
});

describe.each(attacked.map(({ name, access }) => ({ name, hasAccount: access !== "none" })))("$name", (method) => {
  const { name, hasAccount } = method;
  const using = ["urn:ietf:params:jmap:core", ...new Set(methods.map(({ capability }) => capability))];
  const call = async (accountId: string, extra: Json = {}) => {
    const args = { ...(hasAccount && { accountId }), ...extra, ...attacks[name]!(names) };
    const from = name.endsWith("/copy") ? { fromAccountId: victim.accountId, ...extra } : {};
    const [answer] = await thief.call([[name, { ...args, ...from }, "c"]], using);
    return answer!;
  };

  if (hasAccount) {
    test("another user's account is accountNotFound", async () => {
      const extra = name.endsWith("/copy") ? { fromAccountId: thief.accountId } : {};
      const [kind, args] = await call(victim.accountId, extra);
      expect([kind, args.type]).toEqual(["error", "accountNotFound"]);
      expect(JSON.stringify(args)).not.toContain(secret);
    });
  }

  test("another user's objects cannot be reached through one's own account", async () => {
    const answer = await call(thief.accountId);
    expect(JSON.stringify(answer)).not.toContain(secret);
    const { created, updated, destroyed, list, type } = answer[1] as Record<string, unknown>;
    if (answer[0] === "error") expect(type).not.toBe("serverFail");
    // Blob/lookup returns each id asked for, whether or not there is such a blob.
    const infos = name === "Blob/lookup" ? (list as { matchedIds: Json }[]).map(({ matchedIds }) => matchedIds) : list;
    const reached = JSON.stringify({ created, updated, destroyed, list: infos });
    for (const id of Object.values({ ...names, own: undefined })) expect(reached).not.toContain(`"${id}"`);
    if (name.endsWith("/set") || name === "Email/import") expect(created ?? null).toBeNull();
  });
});

test("another user's push subscriptions can be neither read nor changed", async () => {
  const all = async (client: Client) => (await client.call([["PushSubscription/get", {}, "c"]]))[0]![1];
  expect(await all(thief)).toEqual({ list: [], notFound: [] });
  expect(await all(victim)).toMatchObject({ list: [{ id: names.pushSubscription, types: null }] });
});

const refuses = async (path: Endpoint, fill: Json, ask: Parameters<Client["fetch"]>[1] = {}) => {
  const answer = await thief.fetch(urlOf(path, fill), ask);
  expect(answer.status).toBe(404);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.body.toString()).not.toContain(secret);
};

/** Fills in the server's URL templates as a client does. */
function urlOf(path: Endpoint, fill: Json = {}): URL {
  const values: Json = { accountId: victim.accountId, blobId: names.blob, name: "x", ...fill };
  const query = path === "/jmap/eventsource" ? "?types=*&closeafter=no&ping=0" : "";
  return thief.resolve(path.replace(/:(\w+)/g, (_, name: string) => String(values[name])) + query);
}

async function tellsOfNobodyElse(path: Endpoint): Promise<void> {
  const answer = await thief.fetch(`${urlOf(path)}?accountId=${victim.accountId}&user=victim@home.test`);
  const { accounts, username } = JSON.parse(answer.body.toString()) as { accounts: object; username: string };
  expect([Object.keys(accounts), username]).toEqual([[thief.accountId], "thief@home.test"]);
  expect(answer.body.toString()).not.toContain("victim");
}

/** Changes the victim's account first and then the thief's: if both were pushed, the victim's would come first. */
async function changeBoth(): Promise<void> {
  const update = async (client: Client, args: Json) => {
    const { accountId } = client;
    await one(client, "Mailbox/set", { accountId, ...args });
  };
  await update(victim, { create: { a: { name: `${secret} ${Math.random()}` } } });
  await update(thief, { create: { a: { name: `own ${Math.random()}` } } });
}

const tellsNothing = async (path: Endpoint) => {
  const answer = await thief.fetch(urlOf(path), { headers: { authorization: undefined } });
  expect(answer.body.toString()).toMatch(/^(ok|ready)\n$/);
};

async function refusesBlobs(path: Endpoint): Promise<void> {
  await refuses(path, {});
  await refuses(path, { accountId: thief.accountId });
  await refuses(path, { accountId: thief.accountId, blobId: `${names.blob}-i0_9` });
}

const endpointAttacks: Record<Endpoint, (path: Endpoint) => Promise<void>> = {
  "/.well-known/jmap": tellsOfNobodyElse,
  "/jmap/session": tellsOfNobodyElse,
  "/healthz": tellsNothing,
  "/readyz": tellsNothing,

  async "/jmap/api"() {
    const createdIds = { theirs: names.email, blob: names.blob };
    const call = ["Email/get", { accountId: thief.accountId, ids: ["#theirs"] }, "c"] as [string, Json, string];
    const { methodResponses } = await thief.callRaw({ using: thief.using, methodCalls: [call], createdIds });
    expect(methodResponses[0]![1]).toMatchObject({ list: [], notFound: ["#theirs"] });
  },

  async "/jmap/upload/:accountId"(path) {
    await refuses(path, {}, { method: "POST", headers: { "content-type": "text/plain" }, body: "hello" });
  },

  "/jmap/download/:accountId/:blobId/:name": refusesBlobs,
  "/jmap/download/:accountId/:blobId": refusesBlobs,

  async "/jmap/eventsource"() {
    const events = await openEventSource(thief, { types: ["*"], ping: 0 });
    await changeBoth();
    for await (const { event, data } of events) {
      if (event !== "state") continue;
      expect(Object.keys((JSON.parse(data) as { changed: Json }).changed)).toEqual([thief.accountId]);
      break;
    }
    events.close();
  },

  async "/jmap/ws"() {
    const socket = await openWebSocket(thief);
    const get = (accountId: string): [string, Json, string] => ["Email/get", { accountId, ids: [names.email] }, "c"];
    const [theirs, own] = await socket.request([get(victim.accountId), get(thief.accountId)]);
    expect(theirs).toEqual(["error", { type: "accountNotFound" }, "c"]);
    expect(own![1]).toMatchObject({ list: [], notFound: [names.email] });
    // An account named in the request has no meaning in RFC 8887 and is ignored.
    const claim = { authorization: victim.authorization, username: "victim@home.test", accountId: victim.accountId };
    const claimed = await socket.response([get(victim.accountId)], thief.using, claim).catch((error: unknown) => error);
    if (!(claimed instanceof SocketRequestError)) {
      expect(claimed).toMatchObject({ methodResponses: [["error", { type: "accountNotFound" }, "c"]] });
    }
    socket.enablePush(null);
    let pushed: Awaited<ReturnType<typeof socket.nextPush>> | undefined;
    // There is no signal that pushing has begun.
    while (!pushed) {
      await changeBoth();
      pushed = await socket.nextPush(500).catch(() => undefined);
    }
    expect(Object.keys(pushed.changed)).toEqual([thief.accountId]);
    await socket.close();
  },
};

test("each endpoint of the server has an attack here", () => {
  expect(Object.keys(endpointAttacks).sort()).toEqual([...endpoints].sort());
});

test.each(endpoints)("%s returns nothing of another user", (path) => endpointAttacks[path](path));

const wrong = `Basic ${Buffer.from("victim@home.test:wrong").toString("base64")}`;
const guarded = endpoints.filter((path) => path !== "/healthz" && path !== "/readyz" && path !== "/jmap/ws");

test.each(guarded)("%s does not answer without credentials, or with wrong ones", async (path) => {
  const method = /upload|api/.test(path) ? "POST" : "GET";
  for (const authorization of [undefined, wrong]) {
    const answer = await thief.fetch(urlOf(path), { method, headers: { authorization } });
    expect(authorization ? [401, 429] : [401]).toContain(answer.status);
    expect(answer.body.toString()).not.toContain(secret);
  }
});

test("/jmap/ws does not open without credentials, or with wrong ones", async () => {
  for (const headers of [{}, { authorization: wrong }]) {
    const socket = new WebSocket(webSocketUrl(thief), "jmap", { headers });
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
    expect("authorization" in headers ? [401, 429] : [401]).toContain(response.statusCode);
    socket.on("error", () => {});
    socket.terminate();
  }
});

test("the victim's data is unchanged", async () => {
  const { list } = await one<GetResult>(victim, "Email/get", { accountId: victim.accountId, ids: [names.email] });
  expect(list).toMatchObject([{ subject: secret, keywords: {} }]);
});
