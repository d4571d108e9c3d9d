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
