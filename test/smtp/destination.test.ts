import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { bob, clientOf, draft, get, host, mail, sent, sink, useOutbox } from "./outbox.ts";

useOutbox();

let other: SmtpSink;
beforeAll(async () => {
  other = await startSink({ host: "127.0.0.3", port: sink.port });
  // Two domains at one provider, and one elsewhere.
  for (const domain of ["one.test", "two.test"])
    host.dns.set(domain, "MX", { preference: 10, exchange: "mx.both.test" });
  host.dns.set("mx.both.test", "A", "127.0.0.2");
  host.dns.set("three.test", "MX", { preference: 10, exchange: "mx.three.test" });
  host.dns.set("mx.three.test", "A", "127.0.0.3");
});
afterAll(() => other.stop());
beforeEach(async () => {
  other.reset();
  await host.mailOut?.close();
  host.startMailOut(sink.port);
});

const submission = async (subject: string, to: string) => (await sent(await mail(to, subject))).id;
const replyTo = async (id: string, to: string) => (await get(id)).deliveryStatus[to]!.smtpReply;
const tried = async () =>
  Number((await host.rows("SELECT count(*) FROM attempt WHERE address = '127.0.0.2'"))[0]!.count);

test("of many mails for servers that cannot be reached one tries, also when its domain is another", async () => {
  const first = await submission("First", "x@one.test");
  await until("a failure", async () => (await replyTo(first, "x@one.test")).startsWith("451 4.4.1"));
  await host.mailOut!.idle();
  expect(await tried()).toBe(1);
  const ids = await Promise.all(Array.from({ length: 20 }, (_, at) => submission(`More ${at}`, "y@two.test")));
  for (const id of ids) {
    await until("an answer", async () => (await replyTo(id, "y@two.test")).startsWith("451 4.4.1"));
  }
  await host.mailOut!.idle();
  expect(await tried()).toBe(1);
  const [told] = await host.rows("SELECT transcript FROM attempt WHERE recipients::text LIKE '%y@two.test%' LIMIT 1");
  expect(told!.transcript).toMatch(/^\* not tried: none of its servers could be reached since /);
  // Once the server is there again, one that tries opens the way for the others.
  const back = await startSink({ host: "127.0.0.2", port: sink.port });
  host.clock.ahead += 3 * 60_000;
  host.mailOut!.wake();
  await back.waitFor(21, 30_000);
  await back.stop();
}, 60_000);

test("a destination that asks for less gets less, and others all the same", async () => {
  other.program({ stage: "mail", reply: "421 4.7.0 too fast", times: 4 });
  const slowed = await submission("Slowed", "x@three.test");
  await until("a deferral", async () => (await replyTo(slowed, "x@three.test")).startsWith("421 4.7.0"));
  await Promise.all(Array.from({ length: 6 }, (_, at) => submission(`Slow ${at}`, "x@three.test")));
  const free = await submission("Free", "x@far.test");
  await until("the other", async () => (await replyTo(free, "x@far.test")).startsWith("250"));
  await other.waitFor(5, 30_000);
  const times = other.messages.map(({ at }) => at);
  expect(Math.min(...times.slice(1).map((at, before) => at - times[before]!))).toBeGreaterThan(50);
}, 60_000);

test("one account with very many mails does not delay another's single mail to the same servers", async () => {
  sink.program({ stage: "data", delayMs: 20 });
  const rows = 400;
  const emailId = await draft(await mail("x@far.test", "Mass"));
  const { identityId, submit } = await import("./outbox.ts");
  const create = Object.fromEntries(Array.from({ length: rows }, (_, at) => [`s${at}`, { identityId, emailId }]));
  await submit(emailId, {}, { create });
  await sink.waitFor(10, 20_000);
  const client = clientOf(bob);
  const { list } = await client.call("Identity/get", { ids: null });
  const own = await draft(await mail("x@far.test", "Single", { from: "Bob <bob@here.test>" }), client);
  const one = { identityId: (list as { id: string }[])[0]!.id, emailId: own };
  await client.call("EmailSubmission/set", { create: { s: one } });
  await until("Bob's mail", () => sink.messages.some(({ raw }) => raw.includes("Subject: Single")), {
    timeoutMs: 20_000,
  });
  expect(sink.messages.length).toBeLessThan(rows - 100);
  await sink.waitFor(rows + 1, 30_000);
  await host.mailOut!.idle();
}, 80_000);
