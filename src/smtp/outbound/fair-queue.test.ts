import { expect, test } from "vitest";
import { FairQueue } from "./fair-queue.ts";

const order = (queue: FairQueue<string>) => {
  const all: string[] = [];
  for (let one = queue.next(); one !== undefined; one = queue.next()) all.push(one);
  return all;
};

test("one account with very many mails does not delay another's single mail", () => {
  const queue = new FairQueue<string>();
  for (let count = 0; count < 10_000; count++) queue.add({ account: 1, isBulk: false }, `a${count}`);
  expect([queue.next(), queue.next()]).toEqual(["a0", "a1"]);
  queue.add({ account: 2, isBulk: false }, "b");
  queue.add({ account: 3, isBulk: false }, "c");
  expect([queue.next(), queue.next(), queue.next(), queue.next()]).toEqual(["a2", "b", "c", "a3"]);
  expect(queue.size).toBe(9_996);
});

test("a person's mail goes before bulk mail, which still moves", () => {
  const queue = new FairQueue<string>();
  for (let count = 0; count < 3; count++) queue.add({ account: 1, isBulk: true }, `bulk ${count}`);
  for (let count = 0; count < 16; count++) queue.add({ account: 1, isBulk: false }, "person");
  const all = order(queue);
  expect(all.flatMap((one, at) => (one === "person" ? [] : [at]))).toEqual([7, 15, 18]);
  expect(queue.next()).toBeUndefined();
});
