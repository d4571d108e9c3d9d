import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentEvents } from "../../src/base/events.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import { Sender } from "../../src/smtp/outbound/send.ts";
import { Tries } from "../../src/smtp/outbound/tries.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { until } from "../support/ports.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";

const count = 60;
/** Servers that trickle their greeting, each in a network of its own. */
const tarpits: Server[] = [];
const trickling = new Set<() => void>();
let open = 0;
let sink: SmtpSink;
let dns: DnsServer;

beforeAll(async () => {
  sink = await startSink();
  const records: Parameters<typeof startDns>[0] = { "good.test": { A: "127.0.0.1" } };
  for (let at = 1; at <= count; at++) {
    records[`tar${at}.test`] = { A: `127.1.${at}.1` };
    const server = createServer((socket) => {
      open++;
      const trickle = setInterval(() => socket.write("2"), 200);
      const stop = () => {
        clearInterval(trickle);
        socket.destroy();
      };
      trickling.add(stop);
      socket
        .on("error", () => {})
        .on("close", () => {
          open--;
          stop();
        });
    });
    await once(server.listen(sink.port, `127.1.${at}.1`), "listening");
    tarpits.push(server);
  }
  dns = await startDns(records);
});
afterAll(async () => {
  for (const server of tarpits) server.close();
  for (const stop of trickling) stop();
  await Promise.all([sink.stop(), dns.stop()]);
});

test("sixty servers that take as long as they like, five mails each, do not hold up mail to another", async () => {
  const common = { resolver: dns.resolver(), hostname: "here.test", mxPort: sink.port, allowPrivateTargets: true };
  const counts = new OwnCounts({ clock: systemClock });
  const sender = new Sender({ ...common, counts, clock: systemClock, random: randomBytes, events: silentEvents });
  const send = (domain: string, account: number) =>
    sender.send({
      ...{ way: { domain }, place: { account, isBulk: false }, recipients: 1 },
      begin: async () => ({
        ...{ mailFrom: "a@here.test", recipients: [`b@${domain}`], parameters: null, rcptParameters: new Map() },
        messageFor: async () => Buffer.from("Subject: x\r\n\r\nHello.\r\n"),
      }),
      tries: new Tries(() => new Date()),
    });
  // Of the same account, so that it is not only its turn that helps.
  const slow = Array.from({ length: 5 * count }, (_, at) => send(`tar${(at % count) + 1}.test`, 1));
  await until("all slots are taken", async () => (open >= 50 ? true : undefined));
  const begun = performance.now();
  const good = await Promise.all([send("good.test", 2), send("good.test", 1)]);
  expect(good).toMatchObject([[{ kind: "relayed" }], [{ kind: "relayed" }]]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  // From now on it is known that the others are slow.
  const again = performance.now();
  expect(await send("good.test", 1)).toMatchObject([{ kind: "relayed" }]);
  expect(performance.now() - again).toBeLessThan(4_000);
  sender.close();
  for (const stop of trickling) stop();
  for (const server of tarpits) server.close();
  await Promise.allSettled(slow);
}, 30_000);
