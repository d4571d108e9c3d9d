import { beforeAll, expect, test } from "vitest";
import { readPools } from "../../src/smtp/outbound/pools/pools-file.ts";
import { Sources } from "../../src/smtp/outbound/pools/sources.ts";
import { PoolWatch } from "../../src/smtp/outbound/pools/watch.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { until } from "../support/ports.ts";
import { get, host, mail, sent, sink, status, useOutbox } from "./outbox.ts";

/** All of 127/8 is ours. */
const addresses = readPools(`
personal   127.0.0.10 mx.here.test   warm
bulk       127.0.0.20 n1.here.test   warm
bulk       127.0.0.21 n2.here.test   warm
suspicious 127.0.0.30 s.here.test    4w
`);
let sources: Sources;
const options = {
  get sources() {
    const { database, clock, log, heard } = host;
    sources = new Sources({ addresses, database, clock, log, events: heard.events });
    return sources;
  },
};
useOutbox(options);
beforeAll(async () => {
  // An account that is no longer new.
  await host.rows("UPDATE account SET created_at = now() - interval '100 days'");
});

const list = { headers: { "List-Unsubscribe": "<https://here.test/u>" } };
let nth = 0;
async function leaves(more: Parameters<typeof mail>[2] = {}): Promise<{ helo: string; id: string }> {
  const to = `r${++nth}@far.test`;
  const { id } = await sent(await mail(to, `Mail ${nth}`, more));
  await status(id, to, "unknown");
  return { helo: sink.messages.at(-1)!.helo, id };
}

test("personal and bulk mail leave from addresses of their own, under their names, and connections come from there", async () => {
  sink.program({ stage: "connect", address: "127.0.0.10", reply: "421 4.3.2 seen", times: 1 });
  const to = `r${++nth}@far.test`;
  const { id } = await sent(await mail(to, `Mail ${nth}`));
  await until("it is deferred", async () => (await get(id)).deliveryStatus[to]!.smtpReply.includes("421 4.3.2 seen"));
  expect((await leaves()).helo).toBe("mx.here.test");
  const bulk = [await leaves(list), await leaves(list)];
  expect(bulk.map(({ helo }) => helo).sort()).toEqual(["n1.here.test", "n2.here.test"]);
  expect(host.heard.told).toContainEqual(["bulkSent", { hasOneClick: false }]);
  const steps = host.events
    .filter(({ event }) => event === "mail out")
    .map(({ fields }) => fields as { unsubscribe?: string });
  expect(steps.filter(({ unsubscribe }) => unsubscribe === "missing").length).toBeGreaterThanOrEqual(2);
});

test("an address that a server refuses for itself rests, and mail leaves from the others", async () => {
  // Kept connections are not refused.
  sink.offer();
  sink.program({ stage: "connect", address: "127.0.0.20", reply: "554 5.7.1 127.0.0.20 is blocked here" });
  for (let at = 0; at < 12; at++) {
    const to = `b${at}@far.test`;
    const { id } = await sent(await mail(to, `Bulk ${at}`, list));
    await until("an answer", async () => (await get(id)).deliveryStatus[to]!.delivered !== "queued");
  }
  expect(host.heard.told).toContainEqual(["sourceRests", { address: "127.0.0.20" }]);
  sink.reset();
  host.clock.ahead += 11_000;
  for (let at = 0; at < 4; at++) expect((await leaves(list)).helo).toBe("n2.here.test");
  host.clock.ahead += 7 * 3_600_000;
  const after = [await leaves(list), await leaves(list), await leaves(list)].map(({ helo }) => helo);
  expect(after).toContain("n1.here.test");
});

test("mail that looks like spam, and that of a sender who was let go, leaves from suspicious addresses, and waits for their plan", async () => {
  await host.rows("UPDATE account SET sending = $1", [JSON.stringify({ liftedAt: host.clock.now().toISOString() })]);
  expect((await leaves()).helo).toBe("s.here.test");
  // Another process has used up today's plan, but for what this one has booked.
  await host.database.run(
    unprepared("/* test */ UPDATE source_day SET messages = 50 WHERE address = '127.0.0.30'"),
    [],
  );
  await leaves();
  const to = "waits@far.test";
  const { id } = await sent(await mail(to, "Waits"));
  const next = await until("it waits", async () => {
    const [row] = await host.rows("SELECT next_attempt_at AS next, leased_by FROM delivery WHERE rcpt_to = $1", [to]);
    const waits = (row!.next as Date).getTime() - host.clock.now().getTime();
    return row!.leased_by === null && waits > 0 ? waits : undefined;
  });
  expect((await get(id)).undoStatus).toBe("pending");
  expect(next).toBeGreaterThan(0);
  expect(next).toBeLessThanOrEqual(3_600_000);
  await host.rows("UPDATE account SET sending = NULL");
});

test("an address that a list has rests until it is off it", async () => {
  const { database, clock, log, dns } = host;
  dns.set("10.0.0.127.bl.test", "A", "127.0.0.2");
  const watch = new PoolWatch({
    addresses,
    sources,
    database,
    clock,
    log,
    resolver: dns.resolver(),
    zones: ["bl.test"],
  });
  await watch.check();
  host.clock.ahead += 11_000;
  // Nothing enters the pool of personal mail, but it may leave from that of bulk mail.
  expect((await leaves()).helo).toMatch(/^n[12]\.here\.test$/);
  host.clock.ahead += 3_600_000;
  await watch.check();
  dns.remove("10.0.0.127.bl.test");
  host.clock.ahead += 3_600_000;
  await watch.check();
  host.clock.ahead += 11_000;
  expect((await leaves()).helo).toBe("mx.here.test");
  await watch.close();
});
