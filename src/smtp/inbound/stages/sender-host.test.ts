import { expect, test } from "vitest";
import { senderHost } from "./sender-host.ts";
import { factsOf, peer } from "./testing.ts";

const records: Record<string, string[]> = {
  "PTR 1.2.0.192.in-addr.arpa": ["mail.there.test"],
  "A mail.there.test": ["192.0.2.1"],
  "PTR 2.2.0.192.in-addr.arpa": ["mail.there.test"],
  [`PTR ${"1.0.0.0.".padEnd(48, "0.")}8.b.d.0.1.0.0.2.ip6.arpa`]: ["six.there.test"],
  "AAAA six.there.test": ["2001:db8:0::1"],
};
const resolver = {
  async resolve(name: string, type: string) {
    if (name.includes("away")) throw Object.assign(new Error(name), { code: "ETIMEOUT" });
    const found = records[`${type} ${name}`];
    if (!found) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
    return found;
  },
} as never;

async function clues(address: string, helo: string, isLoopback = false): Promise<readonly string[]> {
  const { begin, report } = senderHost({ resolver, hostname: "MX.here.test" });
  const session = peer(address, { helo, isLoopback });
  expect(await begin(session, {})).toEqual({ kind: "pass", found: {} });
  const verdict = await report(session, factsOf.data({ message: Buffer.from("\r\n"), clues: ["earlier"] }));
  if (verdict.kind !== "pass") throw new Error("a clue alone has decided");
  return verdict.found.clues ?? [];
}

test("a peer whose names are in order leaves no clue, nor does our own machine", async () => {
  expect(await clues("192.0.2.1", "mail.there.test")).toEqual([]);
  expect(await clues("192.0.2.1", "[192.0.2.1]")).toEqual([]);
  expect(await clues("2001:db8::1", "six.there.test")).toEqual([]);
  expect(await clues("127.0.0.1", "x", true)).toEqual([]);
});

test.each([
  ["192.0.2.9", "mail.there.test", ["address-has-no-name", "helo-is-another-host"]],
  ["192.0.2.2", "[192.0.2.2]", ["name-of-address-not-confirmed"]],
  ["192.0.2.1", "[192.0.2.2]", ["helo-is-another-address"]],
  ["192.0.2.1", "192.0.2.1", ["helo-is-no-name"]],
  ["192.0.2.1", "localhost", ["helo-is-no-name"]],
  ["192.0.2.1", "mx.here.test", ["helo-is-our-name"]],
  ["192.0.2.1", "no.there.test", ["helo-is-another-host"]],
])("%s as %s: %s", async (address, helo, expected) => {
  expect(await clues(address, helo)).toEqual(["earlier", ...expected]);
});

test("DNS that does not answer is no clue", async () => {
  expect(await clues("192.0.2.1", "away.test")).toEqual([]);
});
