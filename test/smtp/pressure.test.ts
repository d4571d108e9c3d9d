import { afterAll, beforeAll, expect, test } from "vitest";
import { unprepared } from "../../src/store/core/sql.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen();
  ada = await host.account("ada@here.test");
});
afterAll(() => host.stop());

test("while delivery is behind, mail is taken, and its sender slowed", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort, timeoutMs: 20_000 });
  let sent = 0;
  const send = async () => {
    const began = performance.now();
    await connection.send({ from: "eve@far.test", to: "ada@here.test", data: `Subject: ${++sent}\r\n\r\nHello.\r\n` });
    return performance.now() - began;
  };
  await host.database.transaction("BEGIN", async (lock) => {
    await lock.run(unprepared("/* test */ SELECT 1 FROM account WHERE user_id = $1 FOR UPDATE"), [ada]);
    // So many are under way or wait, and only then is anybody kept waiting for long.
    const times: number[] = [];
    while (sent < 124) times.push(await send());
    expect(times.filter((took) => took < 1_900).length).toBeGreaterThan(100);
    for (let more = 0; more < 2; more++) expect(await send()).toBeGreaterThan(1_900);
  });
  await until("all are there", async () => (await host.mails(ada)).length === sent, { timeoutMs: 20_000 });
  expect(sent).toBe(126);
  await connection.quit();
}, 60_000);
