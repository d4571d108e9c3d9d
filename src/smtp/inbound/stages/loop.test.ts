import { expect, test } from "vitest";
import { loop } from "./loop.ts";
import { factsOf, peer } from "./testing.ts";

const check = (field: string, times: number) =>
  loop(peer(), factsOf.data({ message: Buffer.from(`${field.repeat(times)}Subject: x\r\n\r\nHello.\r\n`) }));

test.each([
  ["others", "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n", 50],
  ["us", "Received: from a by mx.test with ESMTP id x; Mon, 1 Jan 2024 00:00:00 +0000\r\n", 10],
])("a message that has passed by %s too often is refused", (_, field, most) => {
  expect(check(field, most)).toMatchObject({ kind: "pass" });
  expect(check(field, most + 1)).toMatchObject({ kind: "refuse", code: 554, status: "5.4.6" });
});
