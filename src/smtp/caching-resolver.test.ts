import { afterAll, beforeEach, expect, test } from "vitest";
import { startDns } from "../../test/support/dns.ts";
import { cachingResolver } from "./caching-resolver.ts";
import { isAbsent } from "./resolver.ts";

const dns = await startDns();
afterAll(() => dns.stop());
const clock = { at: 1_000_000, now: () => new Date(clock.at) };
beforeEach(() => {
  dns.queries.length = 0;
});
const later = (seconds: number) => {
  clock.at += seconds * 1000;
};
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error,
  );

test("addresses are remembered for their TTL, texts for a minute, and the same question is asked once", async () => {
  dns.set("one.test", "A", ["192.0.2.1", "192.0.2.2"]);
  dns.set("one.test", "TXT", ["v=spf1 -all"]);
  const { resolve } = cachingResolver(dns.resolver(), { clock });
  const answers = await Promise.all([resolve("one.test", "A"), resolve("ONE.test.", "A"), resolve("one.test", "TXT")]);
  expect(answers).toEqual([["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"], [["v=spf1 -all"]]]);
  expect(dns.queries).toHaveLength(2);
  later(59);
  await resolve("one.test", "TXT");
  expect(dns.queries).toHaveLength(2);
  later(2);
  await resolve("one.test", "TXT");
  expect(dns.queries).toHaveLength(3);
});

test("a caller that changes an answer changes nobody else's", async () => {
  dns.set("two.test", "TXT", ["a"]);
  const { resolve } = cachingResolver(dns.resolver(), { clock });
  ((await resolve("two.test", "TXT")) as string[][])[0]!.push("b");
  expect(await resolve("two.test", "TXT")).toEqual([["a"]]);
});

test("names that do not exist are remembered for half a minute, failures for five seconds", async () => {
  const { resolve } = cachingResolver(dns.resolver(), { clock });
  expect(isAbsent(await failure(resolve("no.test", "TXT")))).toBe(true);
  expect(isAbsent(await failure(resolve("no.test", "TXT")))).toBe(true);
  expect(dns.queries).toHaveLength(1);
  dns.set("no.test", "TXT", ["now it does"]);
  later(31);
  expect(await resolve("no.test", "TXT")).toEqual([["now it does"]]);
  dns.fail("out.test", "SERVFAIL");
  const first = await failure(resolve("out.test", "TXT"));
  expect(isAbsent(first)).toBe(false);
  const asked = dns.queries.length;
  await failure(resolve("out.test", "TXT"));
  expect(dns.queries).toHaveLength(asked);
  dns.fail("out.test", undefined);
  dns.set("out.test", "TXT", ["back"]);
  later(6);
  expect(await resolve("out.test", "TXT")).toEqual([["back"]]);
});

test("it keeps no more answers, and asks no more at once, than it may", async () => {
  for (const name of ["a.test", "b.test", "c.test"]) dns.set(name, "TXT", [name]);
  const { resolve } = cachingResolver(dns.resolver(), { clock, maxAnswers: 2, maxAsked: 2 });
  const outcomes = await Promise.allSettled(["a.test", "b.test", "c.test"].map((name) => resolve(name, "TXT")));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(await resolve("c.test", "TXT")).toEqual([["c.test"]]);
  expect(dns.queries).toHaveLength(3);
  await resolve("a.test", "TXT");
  expect(dns.queries).toHaveLength(4);
});
