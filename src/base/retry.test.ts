import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { retry } from "./retry.ts";

let now: number;
const clock = { now: () => new Date(now) };
const pauses = { clock, firstPauseMs: 20, maxPauseMs: 70 };

beforeEach(() => {
  now = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

/** Fails that many times. */
function failing(times: number) {
  const work = vi.fn(async () => {
    if (work.mock.calls.length <= times) throw new Error(`failure ${work.mock.calls.length}`);
    return "done";
  });
  return work;
}

test("pauses double up to the longest, and the result of the work is returned", async () => {
  const told: number[] = [];
  const done = retry(failing(4), { ...pauses, onFailure: (_error, pause) => void told.push(pause) });
  await vi.advanceTimersByTimeAsync(20 + 40 + 70 + 70);
  expect(await done).toBe("done");
  expect(told).toEqual([20, 40, 70, 70]);
});

test("a permanent error is thrown at once", async () => {
  const work = failing(1);
  await expect(retry(work, { ...pauses, isPassing: () => false })).rejects.toThrow("failure 1");
  expect(work).toHaveBeenCalledTimes(1);
});

test("patience is measured by the given clock", async () => {
  const work = failing(10);
  const done = expect(retry(work, { ...pauses, patienceMs: 1_000 })).rejects.toThrow("failure 3");
  await vi.advanceTimersByTimeAsync(20);
  now = 1_001;
  await vi.advanceTimersByTimeAsync(40);
  await done;
});

test("a signal ends the pause, and the last failure is thrown", async () => {
  const stop = new AbortController();
  const work = failing(10);
  const done = expect(retry(work, { ...pauses, signal: stop.signal })).rejects.toThrow("failure 2");
  await vi.advanceTimersByTimeAsync(20);
  stop.abort();
  await done;
  expect(work).toHaveBeenCalledTimes(2);
});

test("when a signal is aborted during the work, the work runs to its end and its result counts", async () => {
  const stop = new AbortController();
  const work = async () => {
    stop.abort();
    return "done";
  };
  expect(await retry(work, { ...pauses, signal: stop.signal })).toBe("done");
});
