import { expect, test } from "vitest";
import { OwnCounts } from "../../../base/own-counts.ts";
import type { Authentication } from "../../../store/core/db.ts";
import { connectionRate } from "./connection-rate.ts";
import { recipientRate } from "./recipient-rate.ts";
import { senderRate } from "./sender-rate.ts";
import type { Verdict } from "./stage.ts";
import { factsOf, peer } from "./testing.ts";

const clock = { at: 1_000_000, now: () => new Date(clock.at) };
const counts = new OwnCounts({ clock });
const entry = (address: string) => ({ address, userId: 1, maskedId: null, forwards: null, keepsCopy: true });
const after = async (times: number, once: () => Verdict | Promise<Verdict>) => {
  for (let time = 0; time < times; time++) expect(await once()).toMatchObject({ kind: "pass" });
  return once();
};

test("connections of a network: 600 a minute", async () => {
  const check = connectionRate({ counts });
  const once = () => check(peer("192.0.2.1"), {});
  expect(await after(600, once)).toMatchObject({ kind: "disconnect", code: 421, status: "4.7.0" });
  expect(await check(peer("192.0.2.2"), {})).toMatchObject({ kind: "pass" });
  expect(await check(peer("127.0.0.1", { isLoopback: true }), {})).toMatchObject({ kind: "pass" });
  clock.at += 60_000;
  expect(await once()).toMatchObject({ kind: "pass" });
});

test("recipients of a network: 6,000 a minute; mail for one address, from wherever: 300", async () => {
  const { ofNetwork, forAddress } = recipientRate({ counts });
  expect(await after(6_000, () => ofNetwork(peer(), factsOf.rcpt()))).toMatchObject({ code: 451, status: "4.7.0" });
  let host = 0;
  const facts = factsOf.rcpt({ entry: entry("ada@here.test") });
  const comes = () => forAddress(peer(`198.51.100.${host++ % 250}`), facts);
  expect(await after(300, comes)).toMatchObject({ kind: "defer", code: 450, status: "4.2.1" });
  expect(await forAddress(peer(), factsOf.rcpt({ entry: entry("bob@here.test") }))).toMatchObject({ kind: "pass" });
});

test("messages of a domain: 3,000 a minute, counted where it is proved", async () => {
  const check = senderRate({ counts });
  const found = (spf: string, dkim: string): Authentication => ({
    spf: { result: spf, domain: "Big.test" },
    dkim: [{ result: dkim, domain: "big.test", selector: "s" }],
    ...{ dmarc: [], arc: { result: "none", sealers: [] }, bimi: { result: "none", domain: null } },
  });
  const message = Buffer.from("From: a@big.test\r\n\r\nx\r\n");
  const comes = (authentication: Authentication) => check(peer(), factsOf.data({ message, authentication }));
  await after(100, () => comes(found("fail", "none")));
  await after(1_499, () => comes(found("pass", "none")));
  expect(await after(1_500, () => comes(found("fail", "pass")))).toMatchObject({ code: 451, status: "4.7.0" });
  expect(await comes(found("fail", "fail"))).toMatchObject({ kind: "pass" });
});
