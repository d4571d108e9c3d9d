import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Circuit, CircuitOpen } from "./circuit.ts";

let told: string[];
let circuit: Circuit;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
  told = [];
  circuit = new Circuit({
    failingForMs: 3_000,
    firstPauseMs: 1_000,
    maxPauseMs: 4_000,
    onOpen: (reason) => void told.push(`open: ${reason}`),
    onClose: () => void told.push("closed"),
  });
});
afterEach(() => vi.useRealTimers());

const isFailure = (error: unknown) => (error as Error).message !== "no such thing";
/** A call whose outcome comes after so many milliseconds. */
const call = (outcome: "ok" | "away" | "no such thing", afterMs = 0): Promise<string> => {
  const work = async () => {
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (outcome !== "ok") throw new Error(outcome);
    return outcome;
  };
  return circuit.run(work, isFailure).catch((error: Error) => (error instanceof CircuitOpen ? "open" : error.message));
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** Lets calls fail until it opens. */
async function openIt(): Promise<void> {
  await call("away");
  await pass(3_000);
  await call("away");
  told.length = 0;
}

test("it opens when all calls have failed for long enough, and then asks nobody", async () => {
  expect(await call("away")).toBe("away");
  await pass(2_999);
  expect(await call("away")).toBe("away");
  expect(told).toEqual([]);
  await pass(1);
  expect(await call("away")).toBe("away");
  expect(told).toEqual(["open: away"]);
  expect(await call("ok")).toBe("open");
});

test("one call without an answer for so long opens it, unless another succeeded meanwhile", async () => {
  const slow = call("away", 3_000);
  await pass(1_000);
  await call("ok");
  await pass(2_000);
  expect(await slow).toBe("away");
  expect(told).toEqual([]);
  await call("ok");
  const slower = call("away", 3_000);
  await pass(3_000);
  expect(await slower).toBe("away");
  expect(told).toEqual(["open: away"]);
});

test("a success, or an answer that is an error of the caller, begins anew", async () => {
  for (const outcome of ["ok", "no such thing"] as const) {
    await call("away");
    await pass(2_000);
    expect(await call(outcome)).toBe(outcome);
    await pass(2_000);
    expect(await call("away")).toBe("away");
    await pass(500);
    await call("ok");
  }
  expect(told).toEqual([]);
});

test("a single trial at a time is let through; its success closes the circuit", async () => {
  await openIt();
  await pass(1_000);
  const trial = call("ok", 100);
  expect(await call("ok")).toBe("open");
  await pass(100);
  expect(await trial).toBe("ok");
  expect(await call("ok")).toBe("ok");
  expect(told).toEqual(["closed"]);
});

test("the pauses between trials grow, and start anew after a success", async () => {
  await openIt();
  for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
    await pass(pauseMs - 1);
    expect(await call("ok")).toBe("open");
    await pass(1);
    expect(await call("away")).toBe("away");
  }
  await pass(4_000);
  expect(await call("ok")).toBe("ok");
  await openIt();
  await pass(1_000);
  expect(await call("ok")).toBe("ok");
});

test("calls that began before it opened do not lengthen the pause", async () => {
  const early = call("away", 3_500);
  await openIt();
  await pass(500);
  expect(await early).toBe("away");
  await pass(500);
  expect(await call("ok")).toBe("ok");
});
