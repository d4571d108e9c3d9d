import { expect, test } from "vitest";
import { inTime } from "./in-time.ts";

const after = (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, "answer"));

test("an answer in time is passed on, and so is a failure", async () => {
  await expect(inTime(after(10), 200)).resolves.toBe("answer");
  await expect(inTime(Promise.reject(new Error("no")), 200)).rejects.toThrow("no");
});

test("an answer that takes longer is not waited for", async () => {
  await expect(inTime(after(1_000), 50)).rejects.toThrow("no answer within 50 ms");
});

test("time in which this process was busy is not held against the answer", async () => {
  const answer = inTime(after(150), 100);
  for (const end = performance.now() + 400; performance.now() < end; );
  await expect(answer).resolves.toBe("answer");
});
