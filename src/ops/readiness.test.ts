import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { silentLog } from "../base/log.ts";
import { Readiness } from "./readiness.ts";

afterEach(() => void vi.useRealTimers());

const well = async () => undefined;
const told = async (readiness: Readiness) => JSON.parse((await readiness.report()).text) as unknown;

test("the report is 'ready', or names the state of each part", async () => {
  expect(await new Readiness({ one: well }, silentLog).report()).toEqual({ isReady: true, text: "ready\n" });
  const two = new Readiness(
    { one: well, two: async () => "full", three: () => Promise.reject(new Error("secret")) },
    silentLog,
  );
  expect((await two.report()).isReady).toBe(false);
  expect(await told(two)).toEqual({ ready: false, one: "ok", two: "full", three: "fails" });
});

test("what the server can do without is told, but does not make it unready", async () => {
  const readiness = new Readiness({ one: well, two: async () => "away" }, silentLog, { optional: ["two"] });
  expect((await readiness.report()).isReady).toBe(true);
  expect(await told(readiness)).toEqual({ ready: true, one: "ok", two: "away" });
});

test("a check that hangs does not delay the report, and is not started again and again", async () => {
  let count = 0;
  const hanging = () => {
    count++;
    return new Promise<undefined>(() => {});
  };
  const readiness = new Readiness({ one: well, two: hanging }, silentLog);
  const begin = performance.now();
  expect(await told(readiness)).toEqual({ ready: false, one: "ok", two: "gives no answer" });
  expect(performance.now() - begin).toBeLessThan(1_000);
  await sleep(400);
  await readiness.report();
  expect(count).toBe(1);
});

test("a check that hangs is started again after ten seconds if it holds no thread", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  const begun = { database: 0, disk: 0 };
  const release: (() => void)[] = [];
  const hanging = (name: keyof typeof begun) => () => {
    begun[name]++;
    return new Promise<undefined>((resolve) => release.push(() => resolve(undefined)));
  };
  const checks = { database: hanging("database"), disk: hanging("disk") };
  const readiness = new Readiness(checks, silentLog, { renewed: ["database"] });
  const ask = async () => {
    const report = readiness.report();
    await vi.advanceTimersByTimeAsync(1_100);
    return JSON.parse((await report).text) as unknown;
  };
  for (let count = 0; count < 40; count++) {
    expect(await ask()).toEqual({ ready: false, database: "gives no answer", disk: "gives no answer" });
  }
  expect(begun.disk).toBe(1);
  expect(begun.database).toBeGreaterThan(2);
  for (const end of release) end();
  await vi.advanceTimersByTimeAsync(1_100);
  void readiness.report();
  expect(begun.disk).toBe(2);
});

test("frequent reports share one check, and a change is seen after a second", async () => {
  let count = 0;
  let outcome: string | undefined;
  const check = async () => {
    count++;
    return outcome;
  };
  const readiness = new Readiness({ one: check }, silentLog);
  await Promise.all(Array.from({ length: 50 }, () => readiness.report()));
  expect(count).toBe(1);
  outcome = "full";
  await sleep(1_050);
  expect((await readiness.report()).isReady).toBe(false);
});
