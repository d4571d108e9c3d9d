import type { EventStream } from "../client/eventsource.ts";
import { core, type Json, mail, type StateChange } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, fail, isObject, ok, show } from "../runner/expect.ts";
import { mediaType } from "./support.ts";

const rfc = "rfc8620";
const requires = [core, mail];

/** The first state event that names the type in the test's account; those of other tests may come before. */
async function stateOf(
  t: TestContext,
  events: EventStream,
  type: string,
): Promise<StateChange & { id: string | undefined }> {
  const end = Date.now() + 10_000;
  for (;;) {
    const change = await events.nextState(Math.max(1, end - Date.now()));
    t.recorder.note("event: state", JSON.stringify(change));
    if (change.changed[t.accountId]?.[type] !== undefined) return change;
  }
}

const object = defineTests({ rfc, section: "7.1", title: "The StateChange object", requires }, [
  {
    id: "state-change",
    level: "MUST",
    says: "@type: this MUST be the string “StateChange”. changed: a map of an account id to a TypeState object, whose values are the state that would currently be returned by a call to “Foo/get”.",
    exclusive: true,
    run: async (t) => {
      await t.box();
      const events = await t.eventSource();
      await t.sleep(200);
      await t.mailbox();
      const change = await stateOf(t, events, "Mailbox");
      equal(change["@type"], "StateChange", "@type");
      equal(change.changed[t.accountId]?.Mailbox, await t.state("Mailbox"), "state of Mailbox");
    },
  },
  {
    id: "types-that-changed",
    level: "MUST",
    says: "An object encoding the state of data types that have changed for that account since the last StateChange object was pushed.",
    exclusive: true,
    run: async (t) => {
      await t.box();
      const events = await t.eventSource();
      await t.sleep(500);
      await t.mailbox();
      const { changed } = await stateOf(t, events, "Mailbox");
      ok(!("Email" in (changed[t.accountId] ?? {})), `no email changed, but ${show(changed)} came`);
      await t.email();
      await stateOf(t, events, "Email");
    },
  },
  {
    id: "own-accounts-only",
    level: "MUST",
    says: "For each of the accounts to which the user has access and for which something has changed.",
    needs: ["user2"],
    run: async (t) => {
      const { accountId } = t.client2;
      if (accountId in t.session.accounts) t.skip("the users share an account");
      const theirs = await t.eventSource({}, t.client2);
      const own = await t.eventSource();
      await t.sleep(200);
      await t.mailbox();
      await stateOf(t, own, "Mailbox");
      const change = await theirs.nextState(700).catch(() => undefined);
      ok(!change || !(t.accountId in change.changed), `the second user was told ${show(change)}`);
    },
  },
]);

const stream = defineTests({ rfc, section: "7.3", title: "Event source", requires }, [
  {
    id: "content-type",
    level: "MUST",
    says: "Clients can connect directly to the JMAP server to receive push notifications via a “text/event-stream” resource.",
    run: async (t) => {
      const events = await t.eventSource();
      equal(
        mediaType({ status: 200, headers: events.headers as never, body: Buffer.alloc(0) }),
        "text/event-stream",
        "Content-Type",
      );
    },
  },
  {
    id: "types",
    level: "MUST",
    says: "types: a comma-separated list of type names. The server MUST only push changes for the types in this list.",
    run: async (t) => {
      const events = await t.eventSource({ types: ["Email", "Thread"] });
      await t.sleep(200);
      await t.mailbox();
      await t.email();
      const { changed } = await stateOf(t, events, "Email");
      for (const type of Object.keys(changed[t.accountId] ?? {})) {
        ok(type === "Email" || type === "Thread", `${type} was pushed`);
      }
    },
  },
  {
    id: "types-all",
    level: "MUST",
    says: "The single character: “*”. Changes to all types are pushed.",
    run: async (t) => {
      const events = await t.eventSource({ types: ["*"] });
      await t.sleep(200);
      await t.email();
      const seen = new Set<string>();
      const end = Date.now() + 5000;
      while (!(seen.has("Mailbox") && seen.has("Email"))) {
        if (Date.now() > end) fail(`only ${[...seen]} were pushed`);
        const { changed } = await events.nextState(5000);
        for (const type of Object.keys(changed[t.accountId] ?? {})) seen.add(type);
      }
    },
  },
  {
    id: "closeafter-state",
    level: "MUST",
    says: "“state”: the server MUST end the HTTP response after pushing a state event.",
    run: async (t) => {
      const events = await t.eventSource({ closeafter: "state" });
      await t.sleep(200);
      await t.mailbox();
      await events.nextState(10_000);
      const after = await events.next(5000).catch((error: Error) => error.message);
      equal(after, "the event stream ended", "what comes after the state event");
    },
  },
  {
    id: "closeafter-no",
    level: "MUST",
    says: "“no”: the connection is persisted by the server as a standard event-source resource.",
    run: async (t) => {
      const events = await t.eventSource({ closeafter: "no" });
      await t.sleep(200);
      await t.mailbox();
      await stateOf(t, events, "Mailbox");
      await t.mailbox();
      await stateOf(t, events, "Mailbox");
    },
  },
  {
    id: "ping-data",
    level: "MUST",
    says: "If non-zero, the server MUST send an event called “ping” whenever this time elapses since the previous event was sent. The data MUST be a JSON object containing an “interval” property. Servers MUST NOT have a minimum allowed value higher than 30.",
    timeoutMs: 60_000,
    run: async (t) => {
      const events = await t.eventSource({ ping: 1, types: ["NoSuchType"] });
      const start = Date.now();
      const event = await events.next(35_000);
      equal(event.event, "ping", "name of the event");
      const data = JSON.parse(event.data) as Json;
      isObject(data, "the data");
      const interval = Number(data.interval);
      ok(Number.isInteger(interval) && interval >= 1 && interval <= 30, `interval ${show(data.interval)}`);
      const waited = (Date.now() - start) / 1000;
      ok(waited < interval + 5, `the ping came after ${waited} s, the interval is ${interval} s`);
      equal(event.setsId, false, "whether the ping event sets an id");
    },
  },
  {
    id: "ping-zero",
    level: "MUST",
    says: "If the value is “0”, the server MUST NOT send ping events.",
    run: async (t) => {
      const events = await t.eventSource({ ping: 0, types: ["NoSuchType"] });
      const event = await events.next(2500).catch(() => undefined);
      equal(event, undefined, "event");
    },
  },
  {
    id: "event-id",
    level: "SHOULD",
    says: "The server SHOULD also send a new event id that encodes the entire server state visible to the user immediately after sending a “state” event.",
    run: async (t) => {
      const events = await t.eventSource();
      await t.sleep(200);
      await t.mailbox();
      const { id } = await stateOf(t, events, "Mailbox");
      ok(id, "the state event has no id");
    },
  },
  {
    id: "last-event-id",
    level: "SHOULD",
    says: "A client will send a Last-Event-ID HTTP header field with the last id it saw, which the server can use to work out whether the client has missed some changes. If so, it SHOULD send these changes immediately on connection.",
    run: async (t) => {
      const events = await t.eventSource();
      await t.sleep(200);
      await t.mailbox();
      const { id } = await stateOf(t, events, "Mailbox");
      const lastEventId = id ?? t.skip("state events have no id");
      events.close();
      await t.mailbox();
      const again = await t.eventSource({ lastEventId });
      await stateOf(t, again, "Mailbox");
    },
  },
  {
    id: "several-connections",
    level: "MUST",
    says: "A client MAY hold open multiple connections to the event-source resource.",
    run: async (t) => {
      const all = await Promise.all([t.eventSource(), t.eventSource()]);
      await t.sleep(200);
      await t.mailbox();
      for (const events of all) await stateOf(t, events, "Mailbox");
    },
  },
  {
    id: "values-refused",
    level: "SHOULD",
    says: "closeafter: this MUST be one of the values “state” and “no”. ping: a positive integer value, or “0”.",
    run: async (t) => {
      for (const wrong of [
        { closeafter: "later", ping: "0" },
        { closeafter: "no", ping: "soon" },
      ]) {
        const url = t.client.expand(t.session.eventSourceUrl, { types: "*", ...wrong });
        const answer = await Promise.race([t.client.fetch(url, { timeoutMs: 5000 }), t.sleep(3000)]);
        ok(
          answer && answer.status >= 400 && answer.status < 500,
          `answer to ${show(wrong)}: ${answer?.status ?? "a stream"}`,
        );
      }
    },
  },
]);

export const eventSource = [...object, ...stream];
