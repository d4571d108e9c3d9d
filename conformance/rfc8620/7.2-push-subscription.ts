import { one } from "../client/client.ts";
import { core, type GetResult, type Json, mail } from "../client/types.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, isObject, isString, ok, same, setError, show } from "../runner/expect.ts";
import { anyUrl, hours, inFuture, setSubscription, subscribe } from "./7.2-subscribe.ts";
import { noSuchId } from "./support.ts";

const rfc = "rfc8620";
const requires = [core, mail];

const object = defineTests({ rfc, section: "7.2", title: "PushSubscription", requires }, [
  ...[
    ["relative", "/push"],
    ["not-https", "http://push.conformance.example/x"],
    ["ftp", "ftp://push.conformance.example/x"],
    ["no-url", "push here"],
  ].map(
    ([name, url]): TestDefinition => ({
      id: `url-${name}`,
      level: "MUST",
      says: "url: an absolute URL where the JMAP server will POST the data for the push message. This MUST begin with “https://”.",
      run: async (t) => {
        const plain = t.world.listener?.base.startsWith("http:") && url?.startsWith("http:");
        if (plain) t.skip("the listener itself has no TLS, so the server is set up to do without");
        const answer = await setSubscription(t, { create: { s: { deviceClientId: t.unique(), url } } });
        setError(answer.notCreated, "s", ["invalidProperties", "forbidden"]);
      },
    }),
  ),
  {
    id: "code-in-create",
    level: "MUST",
    says: "verificationCode: this MUST be null (or omitted) when the subscription is created.",
    run: async (t) => {
      const create = { s: { deviceClientId: t.unique(), url: anyUrl(t), verificationCode: "guess" } };
      setError((await setSubscription(t, { create })).notCreated, "s", "invalidProperties");
    },
  },
  {
    id: "keys-malformed",
    level: "MUST",
    says: "keys: the object MUST have the properties p256dh and auth.",
    run: async (t) => {
      for (const keys of [{ p256dh: "x" }, { auth: "x" }, "keys"]) {
        const create = { s: { deviceClientId: t.unique(), url: anyUrl(t), keys } };
        const answer = await setSubscription(t, { create });
        setError(answer.notCreated, "s", "invalidProperties");
      }
    },
  },
  {
    id: "expiry-set",
    level: "SHOULD",
    says: "When these credentials are not time bounded, the server SHOULD set an expiry time for the push subscription if none is given.",
    run: async (t) => {
      const { created } = await subscribe(t, anyUrl(t));
      isString(created.expires, "expires");
      ok(Date.parse(created.expires) > Date.now(), `expires is ${created.expires}`);
    },
  },
  {
    id: "expiry-limited",
    level: "SHOULD",
    says: "The server SHOULD … limit the expiry time if set too far in the future.",
    run: async (t) => {
      const { created } = await subscribe(t, anyUrl(t), { expires: inFuture(24 * 365 * 20 * hours) });
      isString(created.expires, "expires (changed by the server)");
      ok(Date.parse(created.expires) < Date.now() + 24 * 366 * hours, `expires is ${created.expires}`);
    },
  },
  ...(
    [
      ["MUST", 47, "MUST be at least 48 hours in the future"],
      ["SHOULD", 24 * 7 - 1, "SHOULD be at least 7 days in the future"],
    ] as const
  ).map(
    ([level, ahead, what]): TestDefinition => ({
      id: `expiry-of-${ahead}-hours`,
      level,
      says: `This maximum expiry time ${what}.`,
      run: async (t) => {
        const expires = inFuture(ahead * hours);
        const { id, created } = await subscribe(t, anyUrl(t), { expires });
        const [found] = (await t.one<GetResult>("PushSubscription/get", { ids: [id] })).list;
        equal(created.expires ?? found?.expires, expires, "expires");
      },
    }),
  ),
]);

const get = defineTests({ rfc, section: "7.2.1", title: "PushSubscription/get", requires }, [
  {
    id: "response",
    level: "MUST",
    says: "It does *not* take or return an “accountId” argument. It also does *not* return a “state” argument.",
    run: async (t) => {
      const answer = await t.one<Json>("PushSubscription/get", { ids: null });
      ok(!("accountId" in answer) && !("state" in answer), `the response is ${show(answer)}`);
      ok(Array.isArray(answer.list), "list");
    },
  },
  {
    id: "without-private-properties",
    level: "MUST",
    says: "The values for “url” and “keys” MUST NOT be returned. If the “properties” argument is null or omitted, the server MUST default to all properties excluding these two.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t), { types: ["Email"] });
      for (const properties of [undefined, null]) {
        const [found] = (await t.one<GetResult>("PushSubscription/get", { ids: [id], properties })).list;
        isObject(found, "the subscription");
        ok(!("url" in found) && !("keys" in found), `the subscription is ${show(found)}`);
        for (const name of ["deviceClientId", "verificationCode", "expires", "types"]) ok(name in found, `no ${name}`);
        same(found.types, ["Email"], "types");
      }
    },
  },
  {
    id: "private-properties-forbidden",
    level: "MUST",
    says: "If one of them is explicitly requested, the method call MUST be rejected with a “forbidden” error.",
    run: async (t) => {
      await t.error("PushSubscription/get", { ids: null, properties: ["id", "url"] }, "forbidden");
      await t.error("PushSubscription/get", { ids: null, properties: ["keys"] }, "forbidden");
    },
  },
  {
    id: "all",
    level: "MUST",
    says: "The “ids” argument may be null to fetch all at once.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t));
      const { list } = await t.one<GetResult<{ id: string }>>("PushSubscription/get", { ids: null });
      ok(
        list.some((one) => one.id === id),
        `${id} is not in the list`,
      );
    },
  },
  {
    id: "own-credentials-only",
    level: "MUST",
    says: "The server MUST only return push subscriptions that were created using the same authentication credentials as for this request.",
    needs: ["user2"],
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t));
      const { list } = await one<GetResult>(t.client2, "PushSubscription/get", { accountId: undefined, ids: null });
      ok(!list.some((found) => found.id === id), "the second user sees the subscription");
    },
  },
]);

const set = defineTests({ rfc, section: "7.2.2", title: "PushSubscription/set", requires }, [
  {
    id: "response",
    level: "MUST",
    says: "It does *not* take or return an “accountId” argument, … or return “oldState” or “newState” arguments.",
    run: async (t) => {
      const answer = await setSubscription(t, { destroy: [noSuchId] });
      for (const name of ["accountId", "oldState", "newState"]) ok(!(name in answer), `${name} in ${show(answer)}`);
      setError(answer.notDestroyed, noSuchId, "notFound");
    },
  },
  {
    id: "created",
    level: "MUST",
    says: "created: all server-set properties and any properties that were omitted by the client and thus set to a default by the server.",
    run: async (t) => {
      const { created } = await subscribe(t, anyUrl(t));
      isString(created.id, "id");
      equal(created.keys ?? null, null, "keys");
      ok(!("url" in created), "created holds the url");
    },
  },
  {
    id: "url-and-keys-immutable",
    level: "MUST",
    says: "The “url” and “keys” properties are immutable; if the client wishes to change these, it must destroy the current push subscription and create a new one.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t));
      const url = await setSubscription(t, { update: { [id]: { url: `${anyUrl(t)}/other` } } });
      setError(url.notUpdated, id, "invalidProperties");
      const keys = await setSubscription(t, { update: { [id]: { keys: { p256dh: "x", auth: "y" } } } });
      setError(keys.notUpdated, id, "invalidProperties");
      const device = await setSubscription(t, { update: { [id]: { deviceClientId: "another" } } });
      setError(device.notUpdated, id, "invalidProperties");
    },
  },
  {
    id: "wrong-code",
    level: "MUST",
    says: "Attempts to update the subscription with an invalid verification code MUST be rejected by the server with an “invalidProperties” SetError.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t));
      const answer = await setSubscription(t, { update: { [id]: { verificationCode: "guess" } } });
      setError(answer.notUpdated, id, "invalidProperties");
    },
  },
  {
    id: "update-expires-and-types",
    level: "MUST",
    says: "The client may update the “expires” property to extend (or, less commonly, shorten) the lifetime of a push subscription.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t), { expires: inFuture(5 * hours) });
      const expires = inFuture(10 * hours);
      const answer = await setSubscription(t, { update: { [id]: { expires, types: ["Mailbox"] } } });
      ok(answer.updated && id in answer.updated, `refused: ${show(answer.notUpdated)}`);
      const [found] = (await t.one<GetResult>("PushSubscription/get", { ids: [id] })).list;
      same([found?.expires, found?.types], [expires, ["Mailbox"]], "expires and types");
    },
  },
  {
    id: "destroy",
    level: "MUST",
    says: "Standard /set method as described in Section 5.3.",
    run: async (t) => {
      const { id } = await subscribe(t, anyUrl(t));
      same((await setSubscription(t, { destroy: [id] })).destroyed, [id], "destroyed");
      const { list, notFound } = await t.one<GetResult>("PushSubscription/get", { ids: [id] });
      same([list, notFound], [[], [id]], "list and notFound");
    },
  },
]);

export const pushSubscription = [...object, ...get, ...set];
