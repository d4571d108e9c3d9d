import { afterAll, beforeAll, expect, test } from "vitest";
import { scopes } from "../../src/auth/scopes.ts";
import { removeGrants } from "../../src/store/directory/oauth-grants.ts";
import { grantToken } from "../support/oauth.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { ada, host, useOutbox } from "./outbox.ts";
import { listenForUsers, type SubmissionDoors } from "./submission-host.ts";

useOutbox();
let doors: SubmissionDoors;
const login = "ada@here.test";
const owner = () => ({ login, userId: ada });
beforeAll(async () => {
  doors = await listenForUsers(host);
});
afterAll(() => doors.stop());

const base64 = (text: string) => Buffer.from(text).toString("base64");
const mechanisms = {
  OAUTHBEARER: (token: string) => base64(`n,,\x01auth=Bearer ${token}\x01\x01`),
  XOAUTH2: (token: string) => base64(`user=${login}\x01auth=Bearer ${token}\x01\x01`),
};

async function secured(): Promise<SmtpConnection> {
  const connection = await SmtpConnection.greet({ port: doors.port });
  await connection.startTls();
  return connection;
}

test.each([
  ["all mail", scopes.all],
  ["sending", scopes.submission],
])("a token for %s sends, until its grant ends", async (_, scope) => {
  for (const [mechanism, said] of Object.entries(mechanisms)) {
    const { secret, id } = await grantToken(host.store, owner(), scope);
    const connection = await secured();
    await connection.command(`AUTH ${mechanism} ${said(secret)}`, [235]);
    await connection.command(`MAIL FROM:<${login}>`, [250]);
    await connection.command("RSET", [250]);
    await removeGrants(host.database, owner(), [id]);
    doors.authenticator.forget(login);
    expect((await connection.command(`MAIL FROM:<${login}>`)).line).toMatch(/^421 4\.7\.0 /);
  }
});

test("a token without a scope for sending is refused", async () => {
  const { secret } = await grantToken(host.store, owner(), `${scopes.mail} ${scopes.vacation}`);
  const connection = await secured();
  await connection.command(`AUTH OAUTHBEARER ${mechanisms.OAUTHBEARER(secret)}`, [334]);
  expect((await connection.command("AQ==")).line).toMatch(/^535 5\.7\.8 the token's scope/);
  expect((await connection.command(`AUTH XOAUTH2 ${mechanisms.XOAUTH2(secret)}`)).line).toMatch(/^535 5\.7\.8 /);
  expect((await connection.command(`MAIL FROM:<${login}>`)).line).toMatch(/^530 /);
  await connection.quit();
});
