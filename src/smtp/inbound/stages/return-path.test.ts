import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailHost, startMailHost } from "../../../../test/smtp/host.ts";
import { returnPath } from "./return-path.ts";
import type { Check } from "./stage.ts";
import { factsOf, peer } from "./testing.ts";

const dayMs = 86_400_000;
let host: MailHost;
let ada: number;
let check: Check<"rcpt">;

beforeAll(async () => {
  host = await startMailHost();
  ada = await host.account("ada@here.test");
  const { database, returnPaths, clock } = host;
  check = returnPath({ database, returnPaths, clock });
});
afterAll(() => host.stop());

const ask = (address: string) => check(peer(), factsOf.rcpt({ path: { address, parameters: {} } }));
const made = (userId: number, domain = "here.test") =>
  host.returnPaths.address({ userId, submissionId: 7 }, domain, host.clock.now());
const refused = { kind: "refuse", code: 550, status: "5.1.1" };

test("a signed return path has its account, in whatever case it comes", async () => {
  const address = await made(ada);
  expect(await ask(address)).toEqual({ kind: "pass", found: { userId: ada } });
  expect(await ask(address.toUpperCase())).toEqual({ kind: "pass", found: { userId: ada } });
});

test("it has room for the largest numbers", async () => {
  const [local] = (await made(Number.MAX_SAFE_INTEGER)).split("@");
  expect(local!.length).toBeLessThanOrEqual(64);
});

test("a changed one, one for another account, an origin, and one of an account that is gone are no addresses", async () => {
  const address = await made(ada);
  const [, , , , mac] = address.split(/[-@]/);
  expect(await ask(address.replace(mac!, "a".repeat(16)))).toMatchObject(refused);
  expect(await ask(address.replace(/^rp-[0-9a-z]+/, "rp-zz"))).toMatchObject(refused);
  const origin = await host.returnPaths.origin({ userId: ada, submissionId: 7 }, host.clock.now());
  expect(await ask(`${origin}@here.test`)).toMatchObject(refused);
  expect(await ask(await made(987_654_321))).toMatchObject(refused);
});

test("one is valid for two weeks, longer than any queue", async () => {
  const address = await made(ada);
  host.clock.ahead += 13 * dayMs;
  expect(await ask(address)).toMatchObject({ kind: "pass" });
  host.clock.ahead += 3 * dayMs;
  expect(await ask(address)).toMatchObject(refused);
  host.clock.ahead = 0;
});

test("other addresses and other domains are left to the next check", async () => {
  expect(await ask("ada@here.test")).toEqual({ kind: "pass", found: {} });
  expect(await ask("rp-1-2-3@here.test")).toEqual({ kind: "pass", found: {} });
  expect(await ask(await made(ada, "there.test"))).toEqual({ kind: "pass", found: {} });
});

test("another installation has another key", async () => {
  const other = await startMailHost();
  const address = await other.returnPaths.address({ userId: ada, submissionId: 7 }, "here.test", host.clock.now());
  expect(await ask(address)).toMatchObject(refused);
  await other.stop();
});
