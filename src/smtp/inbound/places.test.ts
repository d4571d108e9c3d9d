import { beforeEach, expect, test } from "vitest";
import { type Holder, Places } from "./places.ts";

let now: number;
let places: Places<Holder & { name: string }>;
const clock = { now: () => new Date(now) };
const peer = (name: string, isBusy = false) => ({ name, isBusy });
const enter = (address: string, isBusy = false) => places.enter(address, peer(address, isBusy));
const goes = () => places.leastUseful()?.name;

beforeEach(() => {
  now = 1_000_000;
  places = new Places(4, clock);
});

test("the connection without progress for the longest time is closed", () => {
  const first = enter("192.0.2.1");
  now += 1_000;
  enter("198.51.100.1");
  now += 1_000;
  enter("203.0.113.1");
  expect(goes()).toBe("192.0.2.1");
  places.moved(first);
  expect(goes()).toBe("198.51.100.1");
});

test("a connection that waits for our reply is never closed", () => {
  enter("192.0.2.1", true);
  now += 1_000;
  enter("198.51.100.1");
  expect(goes()).toBe("198.51.100.1");
  places = new Places(4, clock);
  enter("192.0.2.1", true);
  expect(goes()).toBeUndefined();
});

test.each([
  ["a /24 of IPv4", (at: number) => `192.0.2.${at}`],
  ["a /24 of IPv4 over IPv6", (at: number) => `::ffff:192.0.2.${at}`],
  ["a /64 of IPv6", (at: number) => `2001:db8:1:2::${at}`],
])(
  "the connections of %s count together, and one of them is closed before a single one from elsewhere",
  (_, address) => {
    enter("198.51.100.1");
    now += 1_000;
    for (let at = 1; at <= 3; at++) enter(address(at));
    now += 1_000;
    expect(goes()).toBe(address(1));
  },
);

test("a network whose mail was accepted before is given more time, but not for ever", () => {
  const good = enter("198.51.100.1");
  places.delivered(good);
  places.leave(good);
  now += 20 * 86_400_000;
  enter("198.51.100.7");
  now += 10_000;
  const stranger = enter("192.0.2.1");
  now += 1_000;
  expect(goes()).toBe("192.0.2.1");
  now += 60_000;
  places.moved(stranger);
  now += 1_000;
  expect(goes()).toBe("198.51.100.7");
});

test("a network is forgotten a month after its last mail", () => {
  places.delivered(enter("198.51.100.1"));
  now += 31 * 86_400_000;
  const back = enter("198.51.100.1");
  now += 1_000;
  const stranger = enter("192.0.2.1");
  places.moved(back);
  now += 1;
  places.moved(stranger);
  now += 10;
  expect(goes()).toBe("198.51.100.1");
});

test("a place that is left is free, once", () => {
  const all = [1, 2, 3, 4].map((at) => enter(`192.0.${at}.1`));
  expect([places.isCrowded, places.isOverfull]).toEqual([true, false]);
  enter("192.0.5.1");
  expect(places.isOverfull).toBe(true);
  places.leave(all[0]!);
  places.leave(all[0]!);
  expect([places.isCrowded, places.isOverfull]).toEqual([true, false]);
  for (const place of all) places.leave(place);
  expect(places.isCrowded).toBe(false);
});
