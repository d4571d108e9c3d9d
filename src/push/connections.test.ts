import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../base/log.ts";
import { type CloseReason, Connections } from "./connections.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function many(count: number) {
  const draining = new AbortController();
  const connections = new Connections({
    bus: { onRevoked: () => () => {} },
    log: silentLog,
    draining: draining.signal,
  });
  const closed: CloseReason[] = [];
  for (let at = 0; at < count; at++) {
    const connection = {
      login: `user${at % 7}`,
      isValid: async () => true,
      close: (reason: CloseReason) => {
        closed.push(reason);
        connections.delete(connection);
      },
    };
    connections.add(connection);
  }
  return { draining, closed };
}

test("a stop closes all connections at once", () => {
  const { draining, closed } = many(100);
  draining.abort("stop");
  expect(closed).toEqual(Array(100).fill("stop"));
});

test("a restart closes about a hundred connections a second, each once", async () => {
  const { draining, closed } = many(1_000);
  draining.abort("restart");
  expect(closed).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(closed.length).toBeGreaterThan(400);
  expect(closed.length).toBeLessThan(600);
  await vi.advanceTimersByTimeAsync(5_001);
  expect(closed).toEqual(Array(1_000).fill("restart"));
});

test("a restart takes a minute at most, however many there are", async () => {
  const { draining, closed } = many(50_000);
  draining.abort("restart");
  await vi.advanceTimersByTimeAsync(60_001);
  expect(closed).toHaveLength(50_000);
});
