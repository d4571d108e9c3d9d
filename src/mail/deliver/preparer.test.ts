import { expect, test } from "vitest";
import { prepareMessage } from "./prepare.ts";
import { prepare } from "./preparer.ts";

function message(size: number): Buffer {
  const line = "The quick brown fox jumps over the lazy dog.\r\n";
  return Buffer.from(`From: a@example.org\r\nSubject: large\r\n\r\n${line.repeat(Math.ceil(size / line.length))}`);
}

test.each([1_000, 2_000_000])("a message of %i bytes is prepared alike here and in the worker", async (size) => {
  const bytes = message(size);
  expect(await prepare(bytes)).toEqual(prepareMessage(bytes));
});

test("several large messages at once each get their own answer", async () => {
  const sizes = [1_100_000, 1_200_000, 1_300_000];
  const prepared = await Promise.all(sizes.map((size) => prepare(message(size))));
  expect(prepared.map(({ summary }) => summary.size)).toEqual(sizes.map((size) => message(size).length));
});

/** What this thread alone computes meanwhile, in ms: unlike the time that passes, no other load adds to it. */
async function ownWork(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Over 1 MB, and much work. */
function manyWords(): Buffer {
  const paragraph = `<p>${Array.from({ length: 20 }, (_, n) => `wörd${n}`).join(" ")}</p>\r\n`;
  const head = "From: a@example.org\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
  return Buffer.from(head + paragraph.repeat(8_000));
}

test("a large message leaves the event loop free while it is prepared", async () => {
  const bytes = manyWords();
  // The worker starts, and both threads have seen such work before.
  await prepare(bytes);
  prepareMessage(bytes);
  let turns = 0;
  const turn = () => {
    turns++;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const inline = await ownWork(() => prepareMessage(bytes));
  expect(turns).toBe(0);
  await prepare(bytes);
  expect(turns).toBeGreaterThan(10);
  clearImmediate(timer);
  const away = await ownWork(() => prepare(bytes));
  expect(away).toBeLessThan(inline / 2);
});
