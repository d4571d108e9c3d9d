import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailHost, startMailHost } from "../../../../test/smtp/host.ts";
import { knownRecipient } from "./known-recipient.ts";
import type { Check } from "./stage.ts";
import { factsOf, peer } from "./testing.ts";

let host: MailHost;
let ada: number;
let check: Check<"rcpt">;

beforeAll(async () => {
  host = await startMailHost();
  ada = await host.account("ada@here.test");
  check = knownRecipient({ database: host.database, hostname: "mx.here.test" });
});
afterAll(() => host.stop());

const ask = (address: string, session = peer()) => check(session, factsOf.rcpt({ path: { address, parameters: {} } }));

test("an address here has its account, whatever its case and tag", async () => {
  for (const address of ["ada@here.test", "Ada+news@HERE.test"]) {
    expect(await ask(address)).toMatchObject({ kind: "pass", found: { userId: ada } });
  }
});

test("who is unknown, and whose domain is, are told apart", async () => {
  expect(await ask("bob@here.test")).toMatchObject({ kind: "refuse", code: 550, status: "5.1.1" });
  expect(await ask("bob@there.test")).toMatchObject({ kind: "refuse", code: 550, status: "5.7.1" });
});

test("the postmaster needs no domain, where a domain has one", async () => {
  expect(await ask("Postmaster")).toMatchObject({ kind: "refuse", code: 550, status: "5.1.1" });
  const postmaster = await host.account("postmaster@here.test");
  expect(await ask("Postmaster")).toMatchObject({ kind: "pass", found: { userId: postmaster } });
});

test("a peer that guesses addresses is disconnected, but not our own machine", async () => {
  const [guesser, ours] = [peer(), peer("127.0.0.1", { isLoopback: true })];
  for (let at = 1; at <= 50; at++) expect(await ask(`no-${at}@here.test`, guesser)).toMatchObject({ kind: "refuse" });
  expect(await ask("no@here.test", guesser)).toMatchObject({ kind: "disconnect", code: 421, status: "4.7.0" });
  expect(await ask("no@here.test")).toMatchObject({ kind: "refuse" });
  for (let at = 1; at <= 51; at++) expect(await ask("no@there.test", ours)).toMatchObject({ kind: "refuse" });
});
