import { tracingChannel } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { spanChannel, thisSpan, traced } from "./traces.ts";

const never = () => {
  throw new Error("nobody asked");
};

test("while nobody traces, the work is only called", async () => {
  const result = Promise.resolve(1);
  let given: unknown = "nothing";
  const work = (span: unknown) => {
    given = span;
    return result;
  };
  expect(traced("statement", never, work)).toBe(result);
  expect(given).toBeUndefined();
  expect(thisSpan()).toBe(thisSpan());
  expect(thisSpan()(() => 2)).toBe(2);
});

test("a subscriber is told of the work's beginning and end, with what the work found out", async () => {
  const told: unknown[] = [];
  const subscriber = tracingChannel(spanChannel("relay"));
  const onStart = (about: unknown) => void told.push({ ...(about as object) });
  const onEnd = (about: unknown) => void told.push({ ...(about as object) });
  subscriber.start.subscribe(onStart);
  subscriber.asyncEnd.subscribe(onEnd);
  try {
    const about = () => ({ recipients: 2 });
    const work = async (span: { replies?: string[] } | undefined) => {
      span!.replies = ["250"];
      return "done";
    };
    expect(await traced("relay", about, work)).toBe("done");
    await expect(traced("relay", about, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  } finally {
    subscriber.start.unsubscribe(onStart);
    subscriber.asyncEnd.unsubscribe(onEnd);
  }
  expect(told).toEqual([
    { recipients: 2 },
    { recipients: 2, replies: ["250"], result: "done" },
    { recipients: 2 },
    { recipients: 2, error: new Error("broken") },
  ]);
});
