import { expect, test } from "vitest";
import { startCollector } from "../../test/support/otlp.ts";
import { freePorts } from "../../test/support/ports.ts";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { traced } from "../base/traces.ts";
import { startTraces } from "./traces.ts";

const about = { version: "1.2.3", instance: "test" };
const work = () =>
  traced(
    "deliver",
    () => ({ recipients: 1 }),
    async () => "done",
  );

test("a collector that is away does not hold up the stop", async () => {
  const [port] = await freePorts(1);
  const stop = await startTraces({ ...about, url: `http://127.0.0.1:${port}`, log: silentLog });
  expect(await work()).toBe("done");
  const begunAt = performance.now();
  await stop();
  expect(performance.now() - begunAt).toBeLessThan(4_000);
});

test("a collector that refuses spans costs one line of the log", async () => {
  const collector = await startCollector();
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_: object, text: string) => void warned.push(text) };
  try {
    const stop = await startTraces({ ...about, url: `${collector.url}/elsewhere`, log });
    // More than fit into one batch.
    for (let count = 0; count < 600; count++) await work();
    await stop();
    expect(collector.bodies.length).toBeGreaterThan(1);
    expect(warned).toEqual(["traces not sent"]);
  } finally {
    await collector.stop();
  }
});

test("once stopped, nothing is told any more", async () => {
  const collector = await startCollector();
  try {
    const stop = await startTraces({ ...about, url: collector.url, log: silentLog });
    await work();
    await stop();
    expect(collector.spans().map(({ name }) => name)).toEqual(["deliver"]);
    expect(collector.resource()).toEqual({
      "service.name": "posthorn",
      "service.version": "1.2.3",
      "service.instance.id": "test",
    });
    await work();
    expect(collector.spans()).toHaveLength(1);
  } finally {
    await collector.stop();
  }
});

test("work of its kind that fails is told by the kind of its error, and the error passes on", async () => {
  const collector = await startCollector();
  try {
    const stop = await startTraces({ ...about, url: `${collector.url}/v1/traces`, log: silentLog });
    const failure = Object.assign(new TypeError("ann@here.test is no number"), { code: "22P02" });
    const failing = () =>
      traced(
        "deliver",
        () => ({ recipients: 1 }),
        () => Promise.reject(failure),
      );
    await expect(failing()).rejects.toBe(failure);
    const throwing = () =>
      traced(
        "deliver",
        () => ({ recipients: 2 }),
        () => {
          throw new RangeError("at once");
        },
      );
    expect(throwing).toThrow("at once");
    await stop();
    const told = collector.spans().map(({ status, attributes }) => [status.code, attributes.at(-1)]);
    const error = (stringValue: string) => [2, { key: "error.type", value: { stringValue } }];
    expect(told).toEqual([error("22P02"), error("RangeError")]);
    expect(collector.bodies.join()).not.toContain("ann@here.test");
  } finally {
    await collector.stop();
  }
});

test("of writes that share a transaction, each has its own statements", async () => {
  // However slow each is, the next one joins it.
  const [collector, store] = await Promise.all([startCollector(), createTestStore({ maxFoldMs: 60_000 })]);
  const account = await createTestAccount(store);
  try {
    const stop = await startTraces({ ...about, url: collector.url, log: silentLog });
    const write = (recipients: number) =>
      traced(
        "deliver",
        () => ({ recipients }),
        () =>
          store.write(account, "server", (tx) =>
            tx.run({ name: "", label: `by ${recipients}`, text: "SELECT 1", access: "read" }),
          ),
      );
    // The first is alone, the others wait for it and go together.
    await Promise.all([1, 2, 3, 4].map(write));
    await stop();
    const spans = collector.spans();
    const deliveries = new Map(spans.map((span) => [span.spanId, span.attributes[0]?.value.intValue]));
    const told = spans.filter(({ name }) => name.startsWith("by "));
    expect(told.map(({ name, parentSpanId }) => [name, Number(deliveries.get(parentSpanId!))])).toEqual(
      [1, 2, 3, 4].map((recipients) => [`by ${recipients}`, recipients]),
    );
    expect(spans.filter(({ name }) => name === "COMMIT")).toHaveLength(2);
  } finally {
    await collector.stop();
  }
});
