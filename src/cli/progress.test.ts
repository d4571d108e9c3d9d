import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { withProgress } from "./progress.ts";

function collect(isTTY: boolean, columns = 20) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns, write: (text: string) => written.push(text) } };
}

test("off a terminal, progress is a line now and then, also while the work reports nothing", async () => {
  const { written, stream } = collect(false);
  const result = await withProgress(
    async (tell) => {
      tell("1 of 2");
      tell("2 of 2");
      await sleep(1_200);
      return "done";
    },
    { stream, pauseMs: 100 },
  );
  expect(result).toBe("done");
  expect(written.length).toBeGreaterThan(2);
  expect(written[0]).toBe("2 of 2 (0 s)\n");
  expect(written.at(-1)).toBe("2 of 2 (1 s)\n");
});

test("on a terminal, progress is one line that is rewritten, never wraps and is erased at the end", async () => {
  const { written, stream } = collect(true);
  const work = withProgress(
    async (tell) => {
      tell("day 1 of 2, 123456 bodies seen");
      await sleep(150);
      throw new Error("broken off");
    },
    { stream, pauseMs: 40 },
  );
  await expect(work).rejects.toThrow("broken off");
  expect(written.slice(0, 2)).toEqual(["\rday 1 of 2, 123456 \x1b[K", "\rday 1 of 2, 123456 \x1b[K"]);
  expect(written.at(-1)).toBe("\r\x1b[K");
  const count = written.length;
  await sleep(100);
  expect(written).toHaveLength(count);
});

test("a terminal that reports no width is taken to have 80 columns", async () => {
  const { written, stream } = collect(true, 0);
  const work = async (tell: (text: string) => void) => {
    tell("1 of 2");
    await sleep(100);
  };
  await withProgress(work, { stream, pauseMs: 20 });
  expect(written[0]).toBe("\r1 of 2 (0 s)\x1b[K");
});
