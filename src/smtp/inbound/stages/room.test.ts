import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailHost, startMailHost } from "../../../../test/smtp/host.ts";
import { setQuota } from "../../../store/mail/quota.ts";
import { room } from "./room.ts";
import { factsOf, peer } from "./testing.ts";

let host: MailHost;

beforeAll(async () => {
  host = await startMailHost();
});
afterAll(() => host.stop());

test("an account takes what it has room for, later what it may have room for, and never more than it may hold", async () => {
  const check = room(host);
  const userId = await host.account("ada@here.test");
  const ask = (size: number) => check(peer(), factsOf.rcpt({ userId, size }));
  expect(await ask(1e12)).toMatchObject({ kind: "pass" });
  await host.store.write(userId, "server", (tx) => setQuota(tx, 5_000));
  expect(await ask(5_000)).toMatchObject({ kind: "pass" });
  expect(await ask(5_001)).toMatchObject({ kind: "refuse", code: 552, status: "5.2.3" });
  await host.store.write(userId, "server", (tx) => setQuota(tx, 0));
  expect(await ask(0)).toMatchObject({ kind: "defer", code: 452, status: "4.2.2" });
});
