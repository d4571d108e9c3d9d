import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailHost, startMailHost } from "../../../../test/smtp/host.ts";
import { ownSender } from "./own-sender.ts";
import { factsOf, peer } from "./testing.ts";

let host: MailHost;

beforeAll(async () => {
  host = await startMailHost();
});
afterAll(() => host.stop());

test("the sender is an account that the login may write to", async () => {
  const [ada, team] = [await host.account("ada@here.test"), await host.account("team@here.test")];
  await host.account("bob@here.test");
  const account = (id: number, isReadOnly = false) => ({ id, name: "", isPersonal: id === ada, isReadOnly });
  const ask = (mailFrom: string, ...accounts: ReturnType<typeof account>[]) => {
    const login = { login: "ada@here.test", userId: ada, accounts, credential: "password" };
    return ownSender(host)(peer("192.0.2.1", { login }), factsOf.mail({ mailFrom }));
  };
  expect(await ask("Ada+x@here.test", account(ada))).toEqual({ kind: "pass", found: { sendingAccount: ada } });
  expect(await ask("team@here.test", account(ada), account(team))).toMatchObject({ found: { sendingAccount: team } });
  const refused = { kind: "refuse", code: 550, status: "5.7.1" };
  expect(await ask("team@here.test", account(ada))).toMatchObject(refused);
  expect(await ask("team@here.test", account(ada), account(team, true))).toMatchObject(refused);
  for (const address of ["bob@here.test", "eve@far.test", ""]) {
    expect(await ask(address, account(ada))).toMatchObject(refused);
  }
});
