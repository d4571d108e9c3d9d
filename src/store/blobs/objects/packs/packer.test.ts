import { expect, test } from "vitest";
import { key } from "../../../../../test/support/contracts/object-store.ts";
import { Packer } from "./packer.ts";
import type { NewBody } from "./packs.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A packer whose writes take a moment; `packs` and `alone` say what was written. */
function world(given: { writeMs?: number; fails?: boolean } = {}) {
  const { writeMs = 5 } = given;
  const packs: { day: string; texts: string[] }[] = [];
  const alone: string[] = [];
  const packer = new Packer({
    write: async (day, bodies: readonly NewBody[]) => {
      await pause(writeMs);
      if (given.fails) throw new Error("away");
      packs.push({ day, texts: bodies.map(({ bytes }) => Buffer.from(bytes).toString()) });
      return bodies.map(({ bytes }) => Buffer.from(bytes));
    },
    writeAlone: async (_, bytes) => {
      await pause(writeMs);
      if (given.fails) throw new Error("away");
      alone.push(Buffer.from(bytes).toString());
    },
  });
  const put = async (text: string, day?: string) => (await packer.put(key(text, day), Buffer.from(text)))?.toString();
  return { packs, alone, put };
}
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

test("what is put at once is written together, the same once, and each hears of its own", async () => {
  const { packs, alone, put } = world();
  expect(await Promise.all([...texts(50), "text 7"].map((text) => put(text)))).toEqual([...texts(50), "text 7"]);
  expect(packs.map((pack) => pack.texts)).toEqual([texts(50)]);
  expect(alone).toEqual([]);
});

test("one alone does not wait, and becomes an object of its own", async () => {
  const { packs, alone, put } = world({ writeMs: 0 });
  const begin = performance.now();
  for (const text of texts(10)) expect(await put(text)).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(10 * 15);
  expect([alone, packs]).toEqual([texts(10), []]);
});

test("while a write is under way, others wait for at most 20 ms, and not for its end", async () => {
  const { packs, put } = world({ writeMs: 200 });
  const begin = performance.now();
  const first = put("first");
  await pause(1);
  const others = texts(3).map((text) => put(text));
  await first;
  await Promise.all(others);
  expect(performance.now() - begin).toBeLessThan(350);
  expect(packs.map((pack) => pack.texts)).toEqual([texts(3)]);
});

test("a pack has at most 256 members and bodies of one day", async () => {
  const { packs, put } = world();
  await Promise.all(texts(300).map((text) => put(text)));
  expect(packs.map((pack) => pack.texts.length)).toEqual([256, 44]);
  await Promise.all([
    ...texts(4).map((text) => put(text, "2026-01-02")),
    ...texts(2).map((text) => put(text, "2026-01-03")),
  ]);
  expect(packs.slice(2)).toEqual([
    { day: "2026-01-02", texts: texts(4) },
    { day: "2026-01-03", texts: texts(2) },
  ]);
});

test("a pack has at most 4 MB", async () => {
  const { packs, put } = world();
  await Promise.all(texts(100).map((text) => put(text.padEnd(60_000))));
  expect(packs.map((pack) => pack.texts.length)).toEqual([69, 31]);
});

test("when a write fails, all whose bodies are in it hear of it, and the next works", async () => {
  const given = { writeMs: 1, fails: true };
  const { packs, put } = world(given);
  const outcomes = await Promise.allSettled(texts(5).map((text) => put(text)));
  expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  given.fails = false;
  expect(await Promise.all(texts(5).map((text) => put(text)))).toEqual(texts(5));
  expect(packs).toHaveLength(1);
});
