import { expect, test } from "vitest";
import { jsonBytes } from "./large-json.ts";

test.each([0, 1, 2])("JSON with long strings equals that of JSON.stringify, cut after %i", async (before) => {
  const odd = "x".repeat(before) + '"\\\n\u2028é\ud83d😀\udc00'.repeat(300_000);
  const value = [
    { list: [{ a: odd, b: "short", c: null }, "y".repeat(3_000_000), 1.5, true], [`"${before}`]: odd },
    "end",
  ];
  expect((await jsonBytes(value, 10_000_000)).equals(Buffer.from(JSON.stringify(value)))).toBe(true);
  expect((await jsonBytes({ odd: before }, 0)).toString()).toBe(`{"odd":${before}}`);
});

test("others proceed while the JSON of a long string is written", async () => {
  const value = { text: "Grüße, – und noch etwas Text.\n".repeat(1_300_000) };
  let longest = 0;
  let last = process.threadCpuUsage().user;
  const tick = () => {
    const now = process.threadCpuUsage().user;
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(tick);
  };
  let next = setImmediate(tick);
  await jsonBytes(value, 40_000_000);
  tick();
  clearImmediate(next);
  expect(longest / 1e3).toBeLessThan(60);
});
