import { expect, test } from "vitest";
import { OwnCounts } from "../../../base/own-counts.ts";
import { loginRate } from "./login-rate.ts";
import { factsOf, peer } from "./testing.ts";

test("one login has so many messages a minute and recipients an hour, from wherever it sends", async () => {
  let now = 0;
  const { messages, recipients } = loginRate({ counts: new OwnCounts({ clock: { now: () => new Date(now) } }) });
  const by = (login: string, at = 1) =>
    peer(`192.0.2.${at}`, { login: { login, userId: 1, accounts: [], credential: "password" } });
  for (let at = 0; at < 100; at++)
    expect(await messages(by("ada", at), factsOf.mail())).toMatchObject({ kind: "pass" });
  expect(await messages(by("ada"), factsOf.mail())).toMatchObject({ kind: "defer", code: 451, status: "4.7.0" });
  expect(await messages(by("bob"), factsOf.mail())).toMatchObject({ kind: "pass" });
  for (let at = 0; at < 5_000; at++) await recipients(by("ada"), factsOf.rcpt());
  expect(await recipients(by("ada"), factsOf.rcpt())).toMatchObject({ kind: "defer", code: 452, status: "4.7.0" });
  now += 60_000;
  expect(await messages(by("ada"), factsOf.mail())).toMatchObject({ kind: "pass" });
  expect(await recipients(by("ada"), factsOf.rcpt())).toMatchObject({ kind: "defer" });
});
