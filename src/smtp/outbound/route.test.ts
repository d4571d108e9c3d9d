import { afterAll, beforeAll, expect, test } from "vitest";
import { type DnsServer, startDns } from "../../../test/support/dns.ts";
import { flattenReply } from "./reply.ts";
import { nextAttempt } from "./retry.ts";
import { findTargets } from "./route.ts";

let dns: DnsServer;
beforeAll(async () => {
  dns = await startDns({
    "two.test": {
      MX: [
        { preference: 20, exchange: "b.two.test" },
        { preference: 10, exchange: "a.two.test" },
      ],
    },
    "a.two.test": { A: ["8.8.4.1", "8.8.4.2"], AAAA: "2606:4700::1" },
    "b.two.test": { A: "8.8.4.3" },
    "bare.test": { A: "8.8.4.4" },
    "null.test": { MX: { preference: 0, exchange: "." } },
    "inside.test": {
      A: ["10.0.0.1", "127.0.0.1", "169.254.1.1"],
      AAAA: ["::1", "fe80::1", "fd00::1", "::ffff:10.1.1.1"],
    },
    "loop.test": {
      MX: [
        { preference: 10, exchange: "MX.here.test" },
        { preference: 20, exchange: "b.two.test" },
      ],
    },
    "backup.test": {
      MX: [
        { preference: 5, exchange: "a.two.test" },
        { preference: 10, exchange: "mx.here.test" },
        { preference: 20, exchange: "b.two.test" },
      ],
    },
    "empty.test": { TXT: "no addresses" },
  });
});
afterAll(() => dns.stop());

const find = (domain: string, allowPrivateTargets = false) =>
  findTargets(domain, { resolver: dns.resolver(), hostname: "mx.here.test", mxPort: 25, allowPrivateTargets });
const addresses = async (domain: string) => (await find(domain)).map(({ address }) => address);

test("servers are tried by preference, a domain without MX itself", async () => {
  expect(await addresses("two.test")).toEqual(["8.8.4.1", "8.8.4.2", "2606:4700::1", "8.8.4.3"]);
  expect(await addresses("bare.test")).toEqual(["8.8.4.4"]);
});

test("private addresses are targets only if that is allowed", async () => {
  await expect(find("inside.test")).rejects.toThrow(/^550 5\.4\.4 /);
  expect(await find("inside.test", true)).toHaveLength(7);
});

test("servers less preferred than ourselves are left out, and mail that would come back fails", async () => {
  expect(await addresses("backup.test")).toEqual(["8.8.4.1", "8.8.4.2", "2606:4700::1"]);
  await expect(find("loop.test")).rejects.toThrow(/^554 5\.4\.6 /);
});

test("an answer of DNS is final, a missing answer is not", async () => {
  await expect(find("null.test")).rejects.toThrow(/^556 5\.1\.10 /);
  for (const domain of ["empty.test", "nowhere.test"]) {
    await expect(find(domain)).rejects.toThrow(/^550 5\.1\.2 /);
  }
  dns.fail("bare.test", "SERVFAIL");
  await expect(find("bare.test")).rejects.toThrow(/^451 4\.4\.3 /);
  dns.fail("bare.test", undefined);
});

test.each([
  ["250 2.0.0 Ok", "250 2.0.0 Ok"],
  [
    "550-5.7.1 Our system has detected that this message is\r\n550 5.7.1 likely spam.",
    "550 5.7.1 Our system has detected that this message is likely spam.",
  ],
  ["451-one\r\n451-two\r\n451 three", "451 one two three"],
])("a reply becomes one line: %j", (reply, flat) => {
  expect(flattenReply(reply)).toBe(flat);
});

test("attempts follow the schedule, repeat its last pause, and end after the retry time", () => {
  const policy = { retrySchedule: [1000, 5000], retryFor: 100_000 };
  const at = (attempts: number, age: number) =>
    nextAttempt({ attempts, since: new Date(0), now: new Date(age) }, policy, Buffer.from([128, 0, 0, 0]))?.getTime();
  expect([at(1, 0), at(2, 2000), at(9, 50_000), at(10, 100_000)]).toEqual([1000, 7000, 55_000, undefined]);
});
