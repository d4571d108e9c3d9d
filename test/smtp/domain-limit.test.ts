import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentEvents } from "../../src/base/events.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import type { SharedCounts } from "../../src/base/shared-counts.ts";
import { ChildCounts, ParentCounts } from "../../src/cli/processes/shared-counts.ts";
import { Sender } from "../../src/smtp/outbound/send.ts";
import { Tries } from "../../src/smtp/outbound/tries.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { linkedLines } from "../support/linked-ports.ts";

/** A server that greets late, and then takes nothing now. */
let busy: Server;
let open = 0;
let most = 0;
let dns: DnsServer;

beforeAll(async () => {
  busy = createServer((socket) => {
    most = Math.max(most, ++open);
    socket.on("error", () => {});
    setTimeout(() => {
      open--;
      socket.end("451 4.3.0 busy\r\n");
    }, 100);
  });
  await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
  const exchange = "mx.remote.test";
  const MX = { preference: 10, exchange };
  const other = "mx.elsewhere.test";
  dns = await startDns({
    ...{ "one.test": { MX }, "same.test": { MX }, [exchange]: { A: "127.0.0.1" } },
    ...{ "two.test": { MX: { preference: 10, exchange: other } }, [other]: { A: "127.0.0.1" } },
  });
});
afterAll(async () => {
  busy.close();
  await dns.stop();
});

const parcel = {
  ...{ mailFrom: "a@here.test", recipients: ["b@there.test"], parameters: null, rcptParameters: new Map() },
  messageFor: async () => Buffer.from(""),
};

function senderWith(counts: SharedCounts, smarthost?: string): Sender {
  const { port } = busy.address() as { port: number };
  const common = { resolver: dns.resolver(), hostname: "here.test", mxPort: port, allowPrivateTargets: true };
  return new Sender({ ...common, counts, smarthost, clock: systemClock, random: randomBytes, events: silentEvents });
}

/** The most connections at once while each sends 20 messages to each domain. */
async function mostOf(senders: Sender[], domains: string[]): Promise<number> {
  most = 0;
  const mail = (domain: string) => ({
    ...{ way: { domain }, place: { account: 1, isBulk: false }, recipients: 1, begin: async () => parcel },
    tries: new Tries(() => new Date()),
  });
  const sending = senders.flatMap((sender) =>
    domains.flatMap((domain) => Array.from({ length: 20 }, () => sender.send(mail(domain)))),
  );
  for (const answers of await Promise.all(sending)) expect(answers).toMatchObject([{ kind: "deferred" }]);
  return most;
}

test("a process has five transactions at once with the servers of a domain, and as many with others", async () => {
  const counts = new OwnCounts({ clock: systemClock });
  expect(await mostOf([senderWith(counts)], ["one.test"])).toBe(5);
  expect(await mostOf([senderWith(counts)], ["one.test", "same.test"])).toBe(5);
  expect(await mostOf([senderWith(counts)], ["one.test", "two.test"])).toBeGreaterThan(7);
});

test("all processes together have five with a domain, each but one more, and none waits for ever", async () => {
  const parent = new ParentCounts(systemClock);
  const senders = Array.from({ length: 4 }, () => {
    const lines = linkedLines();
    parent.serve(lines.parent);
    return senderWith(new ChildCounts(lines.child));
  });
  const reached = await mostOf(senders, ["one.test"]);
  expect(reached).toBeGreaterThanOrEqual(5);
  expect(reached).toBeLessThanOrEqual(9);
});

test("processes that were asked for less, together, keep to one pace", async () => {
  const times: number[] = [];
  const slow = createServer((socket) => {
    times.push(Date.now());
    socket.on("error", () => {}).end("421 4.7.0 fewer, please\r\n");
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const { port } = slow.address() as { port: number };
  const parent = new ParentCounts(systemClock);
  const senders = Array.from({ length: 3 }, () => {
    const lines = linkedLines();
    parent.serve(lines.parent);
    const common = { resolver: dns.resolver(), hostname: "here.test", mxPort: port, allowPrivateTargets: true };
    const counts = new ChildCounts(lines.child);
    return new Sender({ ...common, counts, clock: systemClock, random: randomBytes, events: silentEvents });
  });
  const send = (sender: Sender) =>
    sender.send({
      ...{
        way: { domain: "one.test" },
        place: { account: 1, isBulk: false },
        recipients: 1,
        begin: async () => parcel,
      },
      tries: new Tries(() => new Date()),
    });
  // Each is told once.
  await Promise.all(senders.map(send));
  times.length = 0;
  await Promise.all(senders.map(send));
  const apart = times.slice(1).map((time, at) => time - times[at]!);
  expect(times.length).toBeGreaterThanOrEqual(3);
  for (const pause of apart) expect(pause).toBeGreaterThan(350);
  for (const sender of senders) sender.close();
  slow.close();
}, 20_000);

test("a smart host is given more at once", async () => {
  const { port } = busy.address() as { port: number };
  const counts = new OwnCounts({ clock: systemClock });
  expect(await mostOf([senderWith(counts, `smtp://127.0.0.1:${port}`)], ["one.test"])).toBeGreaterThan(10);
});
