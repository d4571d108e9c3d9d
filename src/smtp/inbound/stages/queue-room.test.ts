import { expect, test } from "vitest";
import { queueRoom } from "./queue-room.ts";

test("while the queue is full, mail is put off", async () => {
  let isFull = false;
  const check = queueRoom({ incoming: { isFull: () => isFull } });
  const ask = () => check({} as never, {} as never);
  expect(await ask()).toMatchObject({ kind: "pass" });
  isFull = true;
  expect(await ask()).toMatchObject({ kind: "defer", code: 451, status: "4.3.1" });
});
