import { describe, expect, test } from "vitest";
import { startDns } from "../../../../test/support/dns.ts";
import { answerOf } from "../reply.ts";
import { blames } from "./blame.ts";
import { healthOf } from "./health.ts";
import { plannedFor, providerOf } from "./plan.ts";
import { readPools } from "./pools-file.ts";

describe("the file of pools", () => {
  test("has a line for each address, with comments", () => {
    const text =
      "# ours\npersonal 192.0.2.10 MX1.example.org warm\n\nbulk\t2001:DB8::20  news.example.org 2w # new\nbulk 192.0.2.21 n2.example.org\n";
    expect(readPools(text)).toEqual([
      { pool: "personal", address: "192.0.2.10", name: "mx1.example.org", weeks: 0 },
      { pool: "bulk", address: "2001:db8::20", name: "news.example.org", weeks: 2 },
      { pool: "bulk", address: "192.0.2.21", name: "n2.example.org", weeks: 4 },
    ]);
  });

  test.each([
    ["", "it names no address"],
    ["best 192.0.2.1 a.test", 'line 1: "best" is none of personal, bulk, suspicious'],
    ["bulk 192.0.2.300 a.test", 'line 1: "192.0.2.300" is not an IP address'],
    ["\nbulk 192.0.2.1 a_b", 'line 2: "a_b" is not a host name'],
    ["bulk 192.0.2.1", 'line 1: "" is not a host name'],
    ["bulk 192.0.2.1 a.test 9w", 'line 1: "9w" is neither 2w to 6w nor warm'],
    ["bulk 192.0.2.1 a.test 4w x", "line 1: it has more than four words"],
    ["bulk 192.0.2.1 a.test\npersonal 192.0.2.1 b.test", "line 2: 192.0.2.1 is in a pool already"],
  ])("is refused with the line that is wrong: %j", (text, why) => {
    expect(() => readPools(text)).toThrow(why);
  });
});

const since = new Date("2026-01-01T00:00:00Z");
const on = (day: number, weeks: number, rests = 0) =>
  plannedFor({ since, weeks, rests }, new Date(since.getTime() + day * 86_400_000 + 1));

test("a cold address sends more each day by the same factor, until its warm-up is over", () => {
  expect([0, 1, 7, 14, 27, 28].map((day) => on(day, 4))).toEqual([
    50,
    62,
    224,
    1_000,
    16_147,
    Number.POSITIVE_INFINITY,
  ]);
  expect([0, 7, 13, 14].map((day) => on(day, 2))).toEqual([50, 1_000, 13_037, Number.POSITIVE_INFINITY]);
  expect(on(0, 0)).toBe(Number.POSITIVE_INFINITY);
});

test("an address that had to rest comes back with half of what it sent", () => {
  expect([on(14, 4, 1), on(14, 4, 2), on(90, 4, 1), on(0, 4, 9)]).toEqual([500, 250, 10_000, 1]);
});

test.each([
  ["mx1.far.test", "far.test"],
  ["aspmx.l.Provider.example", "provider.example"],
  ["mx.post.co.uk", "post.co.uk"],
  ["mx.firma.de", "firma.de"],
  ["localhost", "localhost"],
])("the provider of %s is %s", (server, provider) => {
  expect(providerOf(server)).toBe(provider);
});

test.each([
  ["550 5.7.1 Service unavailable, client host [192.0.2.1] blocked using a list", true],
  ["554 5.7.1 192.0.2.1 is not welcome", true],
  ["421 4.7.0 our system has detected an unusual rate from your IP address, it is temporarily blocked", true],
  ["550 5.7.1 poor reputation of a domain", true],
  ["450 4.7.1 greylisted 192.0.2.1", false],
  ["550 5.1.1 no such user", false],
  ["452 4.2.2 mailbox full", false],
  ["550 5.7.1 message looks like spam", false],
  ["250 2.0.0 ok", false],
])("%s: blames the address: %s", (reply, isBlamed) => {
  expect(blames(answerOf(reply, "mx.far.test"), "192.0.2.1")).toBe(isBlamed);
});

test("reverse DNS must name the address and lead back; lists are asked for it", async () => {
  const dns = await startDns();
  try {
    // Documentation addresses are no private ones.
    const source = { address: "8.8.2.10", name: "out.here.test" };
    const options = { resolver: dns.resolver(), zones: ["bl.test"] };
    expect(await healthOf(source, options)).toEqual({
      reverse: expect.stringContaining("no name in reverse DNS"),
      listedBy: [],
    });
    dns.set("10.2.8.8.in-addr.arpa", "PTR", "other.here.test");
    expect((await healthOf(source, options)).reverse).toBe(
      "8.8.2.10 is called other.here.test in reverse DNS, not out.here.test",
    );
    dns.set("10.2.8.8.in-addr.arpa", "PTR", "out.here.test");
    dns.set("out.here.test", "A", "8.8.2.11");
    expect((await healthOf(source, options)).reverse).toBe("out.here.test does not lead back to 8.8.2.10");
    dns.set("out.here.test", "A", "8.8.2.10");
    dns.set("10.2.8.8.bl.test", "A", "127.0.0.4");
    expect(await healthOf(source, options)).toEqual({ reverse: undefined, listedBy: ["bl.test"] });
    dns.set("10.2.8.8.bl.test", "A", "127.255.255.254");
    expect((await healthOf(source, options)).listedBy).toEqual([]);
  } finally {
    await dns.stop();
  }
});
