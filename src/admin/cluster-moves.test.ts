import { expect, test } from "vitest";
import { sumMoves, waitMsFor } from "./cluster-moves.ts";
import { nodeOf } from "./cluster-nodes.ts";

test("planned moves are summed by their way; shards without accounts count by their bytes", () => {
  const accounts = new Map([
    [-200, 5],
    [-100, 7],
    [0, 11],
  ]);
  const planned = [
    { min: -200, bytes: 10, from: "a:1", to: "c:1" },
    { min: 0, bytes: 20, from: "b:1", to: "c:1" },
    { min: -100, bytes: 30, from: "a:1", to: "c:1" },
    { min: null, bytes: 40, from: "a:1", to: "c:1" },
  ];
  expect(sumMoves(planned, accounts)).toEqual([
    { from: "a:1", to: "c:1", shards: 2, accounts: 12, bytes: 80 },
    { from: "b:1", to: "c:1", shards: 1, accounts: 11, bytes: 20 },
  ]);
  expect(sumMoves([], accounts)).toEqual([]);
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
