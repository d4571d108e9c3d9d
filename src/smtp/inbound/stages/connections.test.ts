import { expect, test } from "vitest";
import { systemClock } from "../../../base/clock.ts";
import { OwnCounts } from "../../../base/own-counts.ts";
import { connections } from "./connections.ts";
import { type Peer, peer } from "./testing.ts";

const refused = { kind: "disconnect", code: 421, status: "4.7.0" };

test("the addresses of one IPv6 network count as one, and their places come free again", async () => {
  const check = connections({ counts: new OwnCounts({ clock: systemClock }) });
  const neighbour = (at: number) => peer(`2001:db8:1:2::${at.toString(16)}`);
  const open: Peer[] = [];
  const connect = async (one: Peer) => {
    open.push(one);
    return check(one, {});
  };
  for (let at = 1; at <= 100; at++) expect(await connect(neighbour(at))).toMatchObject({ kind: "pass" });
  expect(await connect(neighbour(101))).toMatchObject(refused);
  expect(await check(peer("2001:db8:1:3::1"), {})).toMatchObject({ kind: "pass" });
  // The refused connection ends as well.
  for (const one of [open.pop(), open.pop()]) one!.end();
  expect(await connect(neighbour(200))).toMatchObject({ kind: "pass" });
  expect(await connect(neighbour(201))).toMatchObject(refused);
});

test("our own machine may open any number of connections", async () => {
  const check = connections({ counts: new OwnCounts({ clock: systemClock }) });
  for (let at = 0; at < 200; at++) {
    expect(await check(peer("127.0.0.1", { isLoopback: true }), {})).toMatchObject({ kind: "pass" });
  }
});
