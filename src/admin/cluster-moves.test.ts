import { expect, test } from "vitest";
import { waitMsFor } from "./cluster-accounts.ts";
import { settle, sumMoves } from "./cluster-moves.ts";
import { nodeOf } from "./cluster-nodes.ts";

test("planned moves are summed by their way; shards that hold no accounts are not counted", () => {
  const held = new Map([
    [-200, { accounts: 5, bytes: 10 }],
    [-100, { accounts: 7, bytes: 30 }],
    [0, { accounts: 11, bytes: 20 }],
  ]);
  const planned = [
    { min: -200, from: "a:1", to: "c:1" },
    { min: 0, from: "b:1", to: "c:1" },
    { min: -100, from: "a:1", to: "c:1" },
    { min: null, from: "a:1", to: "c:1" },
  ];
  expect(sumMoves(planned, held)).toEqual([
    { from: "a:1", to: "c:1", shards: 2, accounts: 12, bytes: 40 },
    { from: "b:1", to: "c:1", shards: 1, accounts: 11, bytes: 20 },
  ]);
  expect(sumMoves([], held)).toEqual([]);
});

test("processes get their time to learn of new places, even when the command is interrupted", async () => {
  const steps: string[] = [];
  const watch = { follow: ({ step }: { step: string }) => steps.push(step), signal: AbortSignal.abort() };
  const begin = performance.now();
  await settle({ ...watch, settleMs: 80 });
  expect(performance.now() - begin).toBeGreaterThan(75);
  expect(steps).toEqual(["settling"]);
});

test("writes wait for longer the larger the shard is", () => {
  expect(waitMsFor(50_000_000)).toBeGreaterThan(waitMsFor(0) + 1_000);
});

test.each([
  ["pg3.example.org", { host: "pg3.example.org", port: 5432 }],
  ["10.0.0.3:6000", { host: "10.0.0.3", port: 6000 }],
  ["[2001:db8::3]:6000", { host: "2001:db8::3", port: 6000 }],
])("%s names a node", (text, node) => {
  expect(nodeOf(text)).toEqual(node);
});

test.each(["", "a b", "host:99999", "host:x", "user@host", "postgres://host", "a,b"])("%j names no node", (text) => {
  expect(() => nodeOf(text)).toThrow("notANode");
});
