import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../conformance/client/client.ts";
import { one } from "../conformance/client/client.ts";
import { openEventSource } from "../conformance/client/eventsource.ts";
import type { GetResult, Json, SetResult } from "../conformance/client/types.ts";
import { openWebSocket } from "../conformance/client/websocket.ts";
import { methods } from "../src/jmap/methods.ts";
import { message } from "./support/messages.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** What stands in the victim's data and nowhere else: no answer to another may hold it. */
const secret = "xylophonesecret";

interface Names {
  /** A mailbox of the thief's own, so that an attack fails for what it names of the victim. */
  own: string;
  mailbox: string;
  email: string;
  thread: string;
  blob: string;
  identity: string;
  submission: string;
}

/** Arguments that name the victim's objects, for each method; one that is missing here fails the test below. */
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
};

const withAccount = methods.filter((method) => method.access !== "none");
let server: TestServer;
let victim: Client;
let thief: Client;
let names: Names;

/** The victim has many more objects, so that the names of its last ones name nothing in the thief's account. */
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
  return { mailbox, email, thread, blob, identity, submission: sent.created!.s!.id as string };
}

beforeAll(async () => {
  server = await startServer({ env: { POSTHORN_DEMO: "false" } });
  await server.addAccount("victim@home.test", "victim's password");
  await server.addAccount("thief@home.test", "thief's password");
  victim = await server.login("victim@home.test", "victim's password");
  thief = await server.login("thief@home.test", "thief's password");
  const { list } = await one<GetResult>(thief, "Mailbox/get", { accountId: thief.accountId });
  names = { ...(await fillVictim()), own: list[0]!.id as string };
}, 120_000);
afterAll(() => server?.dispose());

test("each method of the registry has an attack here", () => {
  expect(withAccount.map((method) => method.name).filter((name) => !attacks[name])).toEqual([]);
});

describe.each(withAccount.map((method) => method.name))("%s", (name) => {
  const using = ["urn:ietf:params:jmap:core", ...new Set(methods.map((method) => method.capability))];
  const call = async (accountId: string, extra: Json = {}) => {
    const args = { accountId, ...extra, ...attacks[name]!(names) };
    const from = name.endsWith("/copy") ? { fromAccountId: victim.accountId, ...extra } : {};
    const [answer] = await thief.call([[name, { ...args, ...from }, "c"]], using);
    return answer!;
  };

  test("another's account is accountNotFound", async () => {
    const [kind, args] = await call(victim.accountId, name.endsWith("/copy") ? { fromAccountId: thief.accountId } : {});
    expect([kind, args.type]).toEqual(["error", "accountNotFound"]);
    expect(JSON.stringify(args)).not.toContain(secret);
  });

  test("another's objects cannot be reached through one's own account", async () => {
    const answer = await call(thief.accountId);
    expect(JSON.stringify(answer)).not.toContain(secret);
    const { created, updated, destroyed, list, type } = answer[1] as Record<string, unknown>;
    if (answer[0] === "error") expect(type).not.toBe("serverFail");
    // Blob/lookup answers with each id asked for, whether or not there is such a blob.
    const infos = name === "Blob/lookup" ? (list as { matchedIds: Json }[]).map(({ matchedIds }) => matchedIds) : list;
    const reached = JSON.stringify({ created, updated, destroyed, list: infos });
    for (const id of [names.mailbox, names.email, names.thread, names.identity, names.submission, names.blob]) {
      expect(reached).not.toContain(`"${id}"`);
    }
    if (name.endsWith("/set") || name === "Email/import") expect(created ?? null).toBeNull();
  });
});

test("another's push subscriptions are neither seen nor touched", async () => {
  const by = async (client: Client, name: "get" | "set", args: Json) =>
    (await client.call([[`PushSubscription/${name}`, args, "c"]]))[0]![1];
  const url = `https://push.invalid/${secret}`;
  const made = await by(victim, "set", { create: { a: { deviceClientId: secret, url } } });
  const { id } = (made as SetResult).created!.a as { id: string };
  expect(await by(thief, "get", { ids: [id] })).toEqual({ list: [], notFound: [id] });
  expect(await by(thief, "get", {})).toEqual({ list: [], notFound: [] });
  const answers = [
    await by(thief, "set", { update: { [id]: { types: [] } } }),
    await by(thief, "set", { destroy: [id] }),
  ];
  expect(answers).toMatchObject([
    { updated: null, notUpdated: { [id]: { type: "notFound" } } },
    { destroyed: null, notDestroyed: { [id]: { type: "notFound" } } },
  ]);
  expect(await by(victim, "get", {})).toMatchObject({ list: [{ id, types: null }] });
});

test("the victim's data stands as it was", async () => {
  const { list } = await one<GetResult>(victim, "Email/get", { accountId: victim.accountId, ids: [names.email] });
  expect(list).toMatchObject([{ subject: secret, keywords: {} }]);
});

test.each(["victim's account", "own account"])("download of another's blob through %s is refused", async (whose) => {
  const accountId = whose === "own account" ? thief.accountId : victim.accountId;
  const url = thief.expand(thief.session.downloadUrl, { accountId, blobId: names.blob, name: "x", type: "text/plain" });
  const answer = await thief.fetch(url);
  expect(answer.status).toBe(404);
  expect(answer.body.toString()).not.toContain(secret);
});

test("upload into another's account is refused", async () => {
  const url = thief.expand(thief.session.uploadUrl, { accountId: victim.accountId });
  const answer = await thief.fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body: "hello" });
  expect([403, 404]).toContain(answer.status);
});

test("no endpoint answers without credentials, or with wrong ones", async () => {
  const { apiUrl, uploadUrl, downloadUrl, eventSourceUrl } = thief.session;
  const fill = {
    accountId: victim.accountId,
    blobId: names.blob,
    name: "x",
    type: "a/b",
    types: "*",
    closeafter: "no",
    ping: "0",
  };
  const urls = [
    ["GET", thief.resolve("/.well-known/jmap")],
    ["POST", thief.resolve(apiUrl)],
    ["POST", thief.expand(uploadUrl, fill)],
    ["GET", thief.expand(downloadUrl, fill)],
    ["GET", thief.expand(eventSourceUrl, fill)],
  ] as const;
  const wrong = `Basic ${Buffer.from("victim@home.test:wrong").toString("base64")}`;
  for (const [method, url] of urls) {
    const bare = await thief.fetch(url, { method, headers: { authorization: undefined } });
    expect([url.pathname, bare.status]).toEqual([url.pathname, 401]);
  }
  const answer = await thief.fetch(urls[1][1], { method: "POST", headers: { authorization: wrong } });
  expect([401, 429]).toContain(answer.status);
});

test("another's changes are not pushed", async () => {
  const socket = await openWebSocket(thief);
  await socket.enablePush(null);
  const events = await openEventSource(thief, { types: ["*"], ping: 0 });
  await one(victim, "Email/set", {
    accountId: victim.accountId,
    update: { [names.email]: { "keywords/$flagged": true } },
  });
  await one(thief, "Mailbox/set", { accountId: thief.accountId, create: { a: { name: "own" } } });
  const pushed = await socket.nextPush(5000);
  expect(Object.keys(pushed.changed)).toEqual([thief.accountId]);
  for await (const { event, data } of events) {
    if (event !== "state") continue;
    expect(Object.keys((JSON.parse(data) as { changed: Json }).changed)).toEqual([thief.accountId]);
    break;
  }
  events.close();
  socket.close();
});
