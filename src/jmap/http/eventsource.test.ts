import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepEvents } from "../../../test/support/events.ts";
import type { Login } from "../../auth/login.ts";
import { silentLog } from "../../base/log.ts";
import { OwnPlaceLimit } from "../../base/own-counts.ts";
import { ProcessBus } from "../../push/bus.ts";
import { pushedTypes } from "../../push/states.ts";
import type { Store } from "../../store/core/store.ts";
import { Proxies } from "./address.ts";
import { createEventSource } from "./eventsource.ts";

const login: Login = {
  login: "ann@example.org",
  userId: 1,
  credential: "app:1",
  accounts: [
    { id: 1, name: "ann@example.org", isPersonal: true, isReadOnly: false },
    { id: 2, name: "team@example.org", isPersonal: false, isReadOnly: false },
  ],
};

/** The modseqs that the test sets; the bus is a real one. */
const modseqs = new Map<number, number>();
const store = {
  reader: (accountId: number) => ({
    standing: async () => {
      const modseq = modseqs.get(accountId);
      if (modseq === undefined) throw new Error("the store is away");
      return { epoch: 1, modseq, newest: Object.fromEntries(pushedTypes.map((type) => [type, modseq])) };
    },
  }),
} as unknown as Store;

let bus: ProcessBus;
let heard: ReturnType<typeof keepEvents>;
let draining: AbortController;
let valid: Login | "throttled" | undefined;
let server: Server;
let base: string;
let spoil: (res: ServerResponse) => void;

beforeEach(async () => {
  modseqs.set(1, 5).set(2, 5);
  bus = new ProcessBus({ store, log: silentLog });
  heard = keepEvents();
  draining = new AbortController();
  valid = login;
  const authenticate = async () => valid;
  const eventSource = createEventSource({
    bus,
    log: silentLog,
    events: heard.events,
    draining: draining.signal,
    authenticate,
    proxies: new Proxies({ trusted: [], publicUrl: "", log: silentLog }),
    places: new OwnPlaceLimit(2),
    checkIntervalMs: 40,
  });
  spoil = () => {};
  server = createServer((req, res) => {
    spoil(res);
    eventSource(req, res, login, new URL(req.url ?? "", "http://localhost"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jmap/eventsource/`;
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
  await bus.close();
});

/** The blocks of an event stream as they arrive. */
async function open(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${base}?${query}`, { headers });
  const blocks: string[] = [];
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  const next = async (): Promise<string | undefined> => {
    while (blocks.length === 0) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += Buffer.from(value).toString();
      const parts = text.split("\n\n");
      text = parts.pop() as string;
      blocks.push(...parts);
    }
    return blocks.shift();
  };
  return { response, next, cancel: () => reader.cancel() };
}

const all = "types=*&closeafter=no&ping=0";

function fields(block: string | undefined): Record<string, string> {
  return Object.fromEntries((block ?? "").split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
}

describe("an event source, RFC 8620 §7.3", () => {
  it("pushes state events with an id", async () => {
    const { response, next, cancel } = await open(all);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(Object.keys(fields(await next()))).toEqual(["id"]);
    bus.publish({ accountId: 1, changed: { Email: "1-6", Mailbox: "1-6" } });
    const event = fields(await next());
    expect(event.event).toBe("state");
    expect(event.id).toMatch(/^[\w-]+$/);
    expect(JSON.parse(event.data as string)).toEqual({
      "@type": "StateChange",
      changed: { u1: { Email: "1-6", Mailbox: "1-6" } },
    });
    expect(heard.told).toEqual([["pushSent", { channel: "eventsource", lagSeconds: expect.any(Number) }]]);
    await cancel();
  });

  it("sends at once what changed since Last-Event-ID", async () => {
    const first = await open(all);
    const { id } = fields(await first.next());
    await first.cancel();
    modseqs.set(2, 7);
    const second = await open("types=Email,Thread&closeafter=no&ping=0", { "Last-Event-ID": id as string });
    await second.next();
    const event = fields(await second.next());
    expect(JSON.parse(event.data as string).changed).toEqual({ u2: { Email: "1-7", Thread: "1-7" } });
    await second.cancel();
  });

  it("pushes only the types asked for, whatever else it is asked for", async () => {
    const { next, cancel } = await open("types=Email,CalendarEvent&closeafter=no&ping=0");
    await next();
    bus.publish({ accountId: 1, changed: { Mailbox: "1-6" } });
    bus.publish({ accountId: 2, changed: { Email: "1-7", Mailbox: "1-7" } });
    expect(JSON.parse(fields(await next()).data as string).changed).toEqual({ u2: { Email: "1-7" } });
    await cancel();
  });

  it("ends after a state event when asked to", async () => {
    const { next } = await open("types=*&closeafter=state&ping=0");
    await next();
    bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    expect(fields(await next()).event).toBe("state");
    expect(await next()).toBeUndefined();
  });

  it("pings at the interval that it announces, counted from the last event", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { next, cancel } = await open("types=*&closeafter=no&ping=20");
    await next();
    vi.advanceTimersByTime(19_000);
    bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    expect(fields(await next()).event).toBe("state");
    vi.advanceTimersByTime(19_000);
    bus.publish({ accountId: 1, changed: { Email: "1-7" } });
    expect(fields(await next()).event).toBe("state");
    vi.advanceTimersByTime(20_000);
    expect(fields(await next())).toEqual({ event: "ping", data: '{"interval":20}' });
    await cancel();
  });

  it("never lets a ping wait longer than 300 s", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { next, cancel } = await open("types=*&closeafter=no&ping=100000");
    await next();
    vi.advanceTimersByTime(300_000);
    expect(fields(await next()).data).toBe('{"interval":300}');
    await cancel();
  });

  it.each([
    "types=*&closeafter=no",
    "types=&closeafter=no&ping=0",
    "types=Email,&closeafter=no&ping=0",
    "types=*,Email&closeafter=no&ping=0",
    "types=*&types=Email&closeafter=no&ping=0",
    "types=*&closeafter=maybe&ping=0",
    "types=*&closeafter=no&ping=-1",
    "types=*&closeafter=no&ping=3.5",
    `types=${"A".repeat(3000)}&closeafter=no&ping=0`,
  ])("refuses %s", async (query) => {
    const response = await fetch(`${base}?${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ type: "about:blank", status: 400 });
  });

  it("ends when its credential is revoked, but not for other credentials or logins", async () => {
    const { next } = await open(all);
    await next();
    bus.publish({ credential: "ann@example.org" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    expect(fields(await next()).event).toBe("state");
    bus.publish({ credential: "bob@example.org" });
    bus.publish({ accountId: 1, changed: { Email: "1-7" } });
    expect(fields(await next()).event).toBe("state");
    valid = undefined;
    bus.publish({ credential: "ann@example.org" });
    expect(await next()).toBeUndefined();
  });

  it.each([
    ["nobody can tell whether its credential is still valid", "throttled" as const],
    [
      "its credential opens one more account",
      { ...login, accounts: [...login.accounts, { ...login.accounts[0]!, id: 3 }] },
    ],
  ])("ends after a change of credentials when %s", async (_why, now) => {
    const { next } = await open(all);
    await next();
    valid = now;
    bus.publish({ credential: "ann@example.org" });
    expect(await next()).toBeUndefined();
  });

  it("ends when its credential opens fewer accounts than before", async () => {
    const { next } = await open(all);
    await next();
    valid = "throttled";
    await new Promise((resolve) => setTimeout(resolve, 100));
    bus.publish({ accountId: 1, changed: { Email: "1-6" } });
    expect(fields(await next()).event).toBe("state");
    valid = { ...login, accounts: login.accounts.slice(0, 1) };
    expect(await next()).toBeUndefined();
  });

  it("ends when the server drains, and no other opens", async () => {
    const { next } = await open(all);
    await next();
    draining.abort();
    expect(await next()).toMatch(/^retry: [1-4]\d{3}$/);
    expect(await next()).toBeUndefined();
    expect((await fetch(`${base}?${all}`)).status).toBe(503);
  });

  it("ends at a random moment of a restart, one that opens meanwhile too", async () => {
    const early = await open(all);
    await early.next();
    draining.abort("restart");
    const late = await open(all);
    await late.next();
    for (const { next } of [early, late]) {
      expect(await next()).toMatch(/^retry: \d+$/);
      expect(await next()).toBeUndefined();
    }
  });

  it("opens at most the login's limit, and another one when one has ended", async () => {
    const first = await open(all);
    const second = await open(all);
    expect((await fetch(`${base}?${all}`)).status).toBe(429);
    await first.cancel();
    await vi.waitFor(
      async () => {
        const third = await open(all);
        expect(third.response.status).toBe(200);
        await third.cancel();
      },
      { timeout: 10_000 },
    );
    await second.cancel();
  });

  it("answers 503 while the states cannot be read", async () => {
    modseqs.delete(2);
    const response = await fetch(`${base}?${all}`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 503 });
  });

  it("is cut off when it fails after its head", async () => {
    spoil = (res) => {
      res.write = () => {
        res.flushHeaders();
        throw new Error("nothing can be written");
      };
    };
    const { response, next } = await open(all);
    expect(response.status).toBe(200);
    await expect(next()).rejects.toThrow();
  });

  it("answers HEAD without a stream", async () => {
    const response = await fetch(`${base}?${all}`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
  });

  it("keeps nothing for a client that has gone", async () => {
    const subscribe = bus.subscribe.bind(bus);
    const unsubscribed = vi.fn();
    vi.spyOn(bus, "subscribe").mockImplementation((...args) => {
      const unsubscribe = subscribe(...args);
      return () => {
        unsubscribe();
        unsubscribed();
      };
    });
    const { next, cancel } = await open(all);
    await next();
    expect(unsubscribed).not.toHaveBeenCalled();
    await cancel();
    await vi.waitFor(() => expect(unsubscribed).toHaveBeenCalled(), { timeout: 10_000 });
  });
});
