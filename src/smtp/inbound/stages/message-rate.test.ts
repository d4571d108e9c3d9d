import { expect, test } from "vitest";
import { OwnCounts } from "../../../base/own-counts.ts";
import { messageRate } from "./message-rate.ts";
import { factsOf, peer } from "./testing.ts";

test("one network has so many messages a minute, whatever others send", async () => {
  let now = 0;
  const check = messageRate({ counts: new OwnCounts({ clock: { now: () => new Date(now) } }) });
  const say = (address: string, isLoopback = false) => check(peer(address, { isLoopback }), factsOf.mail());
  for (let at = 0; at < 3_000; at++) await say(`2001:db8:1:2::${at.toString(16)}`);
  expect(await say("2001:db8:1:2::1")).toMatchObject({ kind: "defer", code: 451, status: "4.7.0" });
  expect(await say("2001:db8:1:3::1")).toMatchObject({ kind: "pass" });
  for (let at = 0; at < 3_001; at++) expect(await say("127.0.0.1", true)).toMatchObject({ kind: "pass" });
  now += 60_000;
  expect(await say("2001:db8:1:2::1")).toMatchObject({ kind: "pass" });
});
