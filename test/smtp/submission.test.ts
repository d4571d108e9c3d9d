import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import nodemailer from "nodemailer";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { trace } from "../../src/admin/trace.ts";
import { hashPassword, newAppPassword, newToken } from "../../src/auth/secrets.ts";
import { shareAccount } from "../../src/store/directory/directory.ts";
import { setPassword } from "../../src/store/directory/logins.ts";
import { addAppPassword, addToken, revokeCredential } from "../../src/store/directory/tokens.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { testAdmin } from "../support/admin.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { ada, bob, client, host, type Json, type Submission, sink, useOutbox } from "./outbox.ts";
import { listenForUsers, type SubmissionDoors } from "./submission-host.ts";

useOutbox();
let doors: SubmissionDoors;
const login = "ada@here.test";
const password = "ada's own";

beforeAll(async () => {
  doors = await listenForUsers(host);
  await setPassword(host.store, login, await hashPassword(password));
  await setPassword(host.store, "bob@here.test", await hashPassword("bob's own"));
});
afterAll(() => doors.stop());

const base64 = (text: string) => Buffer.from(text).toString("base64");
const plain = (name: string, secret: string) => `AUTH PLAIN ${base64(`\0${name}\0${secret}`)}`;

/** Connects with STARTTLS. */
async function secured(): Promise<SmtpConnection> {
  const connection = await SmtpConnection.greet({ port: doors.port });
  await connection.startTls();
  return connection;
}

async function signedIn(name = login, secret = password): Promise<SmtpConnection> {
  const connection = await secured();
  await connection.command(plain(name, secret), [235]);
  return connection;
}

const mail = (subject: string, { from = login, more = "" } = {}) =>
  `From: Ada <${from}>\r\nTo: eve@far.test\r\nSubject: ${subject}\r\n${more}\r\nHello.\r\n`;

async function submitted(): Promise<Submission[]> {
  const { list } = await client.call("EmailSubmission/get", { ids: null });
  return list as Submission[];
}
const latest = async () => (await submitted()).at(-1)!;
async function emailOf({ id }: Submission): Promise<Json> {
  const { list } = await client.call("EmailSubmission/get", { ids: [id], properties: ["emailId"] });
  const { emailId } = (list as { emailId: string }[])[0]!;
  const properties = ["subject", "keywords", "mailboxIds", "messageId", "sentAt", "bcc", "headers", "threadId"];
  return ((await client.call("Email/get", { ids: [emailId], properties })).list as Json[])[0]!;
}

describe("before a login", () => {
  test("EHLO offers AUTH after TLS alone, and what EmailSubmission has", async () => {
    const connection = await SmtpConnection.greet({ port: doors.port });
    const clear = (await connection.command("EHLO client.test")).lines.join("\n");
    expect(clear).toContain("STARTTLS");
    expect(clear).not.toContain("AUTH");
    const { lines } = await connection.startTls();
    for (const line of ["AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 200000"]) {
      expect(lines.map((text) => text.slice(4))).toContain(line);
    }
    expect(lines.join("\n")).toMatch(/^250[ -]FUTURERELEASE 2592000 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    await connection.quit();
  });

  test("passwords in the clear are refused, and so is mail", async () => {
    const connection = await SmtpConnection.greet({ port: doors.port });
    expect((await connection.command(plain(login, password))).line).toMatch(/^538 5\.7\.11 /);
    expect((await connection.command(`MAIL FROM:<${login}>`)).line).toMatch(/^530 5\.7\.0 .*STARTTLS/);
    await connection.startTls();
    expect((await connection.command(`MAIL FROM:<${login}>`)).line).toMatch(/^530 5\.7\.0 sign in first/);
    await connection.quit();
  });

  test("what is injected behind STARTTLS in the clear is dropped", async () => {
    const socket = connectTcp({ port: doors.port, host: "127.0.0.1" });
    const next = async (from: Socket | TLSSocket) => String((await once(from, "data"))[0]);
    await next(socket);
    socket.write("EHLO client.test\r\n");
    await next(socket);
    socket.write(`STARTTLS\r\nEHLO mallory.test\r\n${plain(login, password)}\r\nMAIL FROM:<${login}>\r\n`);
    expect(await next(socket)).toMatch(/^220 [^\n]*\r\n$/);
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, "secureConnect");
    secure.write(`MAIL FROM:<${login}>\r\n`);
    expect(await next(secure)).toMatch(/^503 [^\n]*EHLO/);
    secure.write("EHLO client.test\r\n");
    expect(await next(secure)).toContain("AUTH PLAIN");
    secure.destroy();
  });
});

test("peers that never begin TLS keep nobody out of the port that needs it", async () => {
  const small = await listenForUsers(host, { maxConnections: 3 });
  const silent = Array.from({ length: 5 }, () =>
    connectTcp({ port: small.tlsPort, host: "127.0.0.1" }).on("error", () => {}),
  );
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  const secure = connectTls({ port: small.tlsPort, host: "127.0.0.1", rejectUnauthorized: false });
  expect(String((await once(secure, "data"))[0])).toMatch(/^220 /);
  secure.destroy();
  await small.stop();
  await until("they are closed", () => silent.every((socket) => socket.destroyed || socket.readableEnded));
  for (const socket of silent) socket.destroy();
});

describe("AUTH", () => {
  test("takes a password by PLAIN and by LOGIN, an app password, and a token by OAUTHBEARER and XOAUTH2", async () => {
    const app = newAppPassword(randomBytes);
    await addAppPassword(host.store, {
      login,
      userId: ada,
      id: app.id,
      hash: await hashPassword(app.secret),
      label: "",
    });
    const token = await newTokenOf();
    await (await signedIn()).quit();
    await (await signedIn("ADA@here.test", app.secret)).quit();
    const connection = await secured();
    await connection.command("AUTH LOGIN", [334]);
    await connection.command(base64(login), [334]);
    await connection.command(base64(password), [235]);
    await connection.quit();
    const bearer = (user: string, secret: string) => base64(`n,a=${user},\x01auth=Bearer ${secret}\x01\x01`);
    for (const said of [bearer(login, token.secret), bearer("", token.secret)]) {
      const one = await secured();
      await one.command(`AUTH OAUTHBEARER ${said}`, [235]);
      await one.command(`MAIL FROM:<${login}>`, [250]);
      await one.quit();
    }
    const one = await secured();
    await one.command("AUTH OAUTHBEARER", [334]);
    expect((await one.command("AAAA")).line).toMatch(/^501 /);
    await one.command(`AUTH OAUTHBEARER ${bearer("bob@here.test", token.secret)}`, [334]);
    expect((await one.command("AQ==")).line).toMatch(/^535 5\.7\.8 /);
    const xoauth = (user: string) => base64(`user=${user}\x01auth=Bearer ${token.secret}\x01\x01`);
    expect((await one.command(`AUTH XOAUTH2 ${xoauth("bob@here.test")}`)).line).toMatch(/^535 5\.7\.8 /);
    await one.command(`AUTH XOAUTH2 ${xoauth(login)}`, [235]);
    await one.quit();
  });

  test("is for the login itself, not for another", async () => {
    const connection = await secured();
    const forBob = base64(`bob@here.test\0${login}\0${password}`);
    expect((await connection.command(`AUTH PLAIN ${forBob}`)).line).toMatch(/^535 5\.7\.8 /);
    await connection.command(`AUTH PLAIN ${base64(`${login}\0${login}\0${password}`)}`, [235]);
    await connection.quit();
  });

  test("ends the connection after five wrong passwords, and is throttled together with JMAP's logins", async () => {
    await host.account("guessed@here.test");
    await setPassword(host.store, "guessed@here.test", await hashPassword("the right one"));
    const connection = await secured();
    for (let at = 0; at < 4; at++) {
      expect((await connection.command(plain("guessed@here.test", `wrong ${at}`))).code).toBe(535);
    }
    expect((await connection.command(plain("guessed@here.test", "wrong 4"))).line).toMatch(/^421 4\.7\.0 /);
    // The sixth guess comes by HTTP, and is the last that is looked at.
    await doors.authenticator.checkPassword("guessed@here.test", "wrong 5", "192.0.2.1");
    const later = await secured();
    expect((await later.command(plain("guessed@here.test", "the right one"))).line).toMatch(/^454 4\.7\.0 /);
    const basic = `Basic ${base64("guessed@here.test:the right one")}`;
    expect(await doors.authenticator.authenticate(basic, "192.0.2.1")).toBe("throttled");
    await later.quit();
  });

  test("of a credential that is revoked ends at the next message, even while it is being sent", async () => {
    const token = await newTokenOf();
    const connect = async () => {
      const connection = await secured();
      await connection.command(`AUTH XOAUTH2 ${base64(`user=${login}\x01auth=Bearer ${token.secret}\x01\x01`)}`, [235]);
      return connection;
    };
    const [idle, sending] = [await connect(), await connect()];
    await sending.command(`MAIL FROM:<${login}>`, [250]);
    await sending.command("RCPT TO:<eve@far.test>", [250]);
    const count = (await submitted()).length;
    await revokeCredential(host.database, { login, userId: ada }, token.id);
    doors.authenticator.forget(login);
    expect((await idle.command(`MAIL FROM:<${login}>`)).line).toMatch(/^421 4\.7\.0 /);
    expect((await sending.data(mail("revoked"))).line).toMatch(/^421 4\.7\.0 /);
    expect(await submitted()).toHaveLength(count);
  });
});

async function newTokenOf() {
  const token = newToken(randomBytes, ada);
  await addToken(host.store, { ...token, login, userId: ada, label: "", expiresAt: undefined });
  return token;
}

describe("a message", () => {
  test("is sent, and saved to Sent with its submission in one change, before 250", async () => {
    const connection = await signedIn();
    const seen = host.changes.length;
    const reply = await connection.send({
      from: login,
      to: ["eve@far.test"],
      data: mail("saved", { more: "Bcc: x@far.test\r\n" }),
    });
    const submission = await latest();
    expect(reply).toBe(`250 2.0.0 queued as ${submission.id}`);
    expect(
      host.changes.slice(seen).map(({ accountId, changed }) => [accountId, Object.keys(changed).sort()]),
    ).toContainEqual([ada, ["Email", "EmailDelivery", "EmailSubmission", "Mailbox", "Thread"]]);
    const email = await emailOf(submission);
    const { list } = await client.call("Mailbox/get", { ids: Object.keys(email.mailboxIds as Json) });
    expect((list as Json[]).map(({ role }) => role)).toEqual(["sent"]);
    expect(email).toMatchObject({ subject: "saved", keywords: { $seen: true }, bcc: [{ email: "x@far.test" }] });
    expect(email.messageId).toHaveLength(1);
    expect(email.sentAt).toEqual(expect.any(String));
    const raw = await until("it arrives", async () =>
      sink.messages.find((one) => String(one.raw).includes("Subject: saved")),
    );
    const text = String(raw.raw);
    expect(text).toContain(`Message-ID: <${(email.messageId as string[])[0]}>`);
    expect(text).not.toMatch(/^Bcc/im);
    const [, name] = /^Received: by mx\.posthorn\.test with ESMTPSA id (q\w+);/m.exec(text)!;
    // From the door on, under one id.
    expect(text.match(/ id (q\w+);/g)).toEqual([` id ${name};`, ` id ${name};`]);
    const [story, ...others] = await until("the story of the whole way", async () => {
      await host.mailLog.flush();
      const stories = await trace(testAdmin(host.store), name!, 60_000);
      return stories[0]?.events.length === 2 ? stories : undefined;
    });
    expect(others).toEqual([]);
    expect(story!.events).toMatchObject([
      { event: "mail submitted", fields: { account: ada, login, from: login, to: ["eve@far.test"] } },
      { event: "mail out", fields: { account: ada, from: login, to: ["eve@far.test"] } },
    ]);
    expect(story!.events[0]!.fields).toMatchObject({ remoteAddress: "127.0.0.1", size: expect.any(Number) });
    expect(story!.deliveries).toMatchObject([{ rcptTo: "eve@far.test" }]);
    expect(text).not.toContain("127.0.0.1");
    expect(text).not.toContain("client.test");
    expect(text).toMatch(/^DKIM-Signature:/m);
    await connection.quit();
  });

  test("makes those it goes to known to the spam filter, with their names, as EmailSubmission/set does", async () => {
    const connection = await signedIn();
    const data = mail("known").replace("To: eve@far.test", "To: Zed Adams <zed@far.test>, other@far.test");
    await connection.send({ from: login, to: ["zed@far.test"], data });
    const known = await host.rows(
      "SELECT address, domain, name_key FROM correspondent WHERE user_id = $1 AND address IN ($2, $3)",
      [ada, "zed@far.test", "other@far.test"],
    );
    expect(known).toEqual([{ address: "zed@far.test", domain: "far.test", name_key: "adams zed" }]);
    await connection.quit();
  });

  test("of nodemailer is taken on both ports", async () => {
    for (const [port, secure] of [
      [doors.port, false],
      [doors.tlsPort, true],
    ] as const) {
      const transport = nodemailer.createTransport({
        ...{ host: "127.0.0.1", port, secure, requireTLS: !secure, tls: { rejectUnauthorized: false } },
        auth: { user: login, pass: password },
      });
      const subject = `by nodemailer ${port}`;
      const { response } = await transport.sendMail({
        from: login,
        to: "eve@far.test",
        bcc: "y@far.test",
        subject,
        text: "x",
      });
      expect(response).toMatch(/^250 2\.0\.0 queued as /);
      expect(await emailOf(await latest())).toMatchObject({ subject });
      expect(Object.keys((await latest()).deliveryStatus).sort()).toEqual(["eve@far.test", "y@far.test"]);
      transport.close();
    }
  });

  test("goes out only with the login's own addresses, and the refusal says what to do", async () => {
    const connection = await signedIn();
    for (const from of ["bob@here.test", "eve@far.test", "nobody@here.test"]) {
      expect((await connection.command(`MAIL FROM:<${from}>`)).line).toMatch(/^550 5\.7\.1 .* send with one that/);
    }
    expect((await connection.command("MAIL FROM:<>")).line).toMatch(/^550 5\.7\.1 .*your own addresses/);
    const count = (await submitted()).length;
    for (const from of ["bob@here.test", "eve@far.test"]) {
      await connection.command(`MAIL FROM:<${login}>`, [250]);
      await connection.command("RCPT TO:<eve@far.test>", [250]);
      expect((await connection.data(mail("forged", { from }))).line).toMatch(/^550 5\.7\.1 .* write From/);
    }
    await connection.command(`MAIL FROM:<${login}>`, [250]);
    await connection.command("RCPT TO:<eve@far.test>", [250]);
    expect((await connection.data("Subject: no author\r\n\r\nx")).line).toMatch(/^554 5\.6\.0 /);
    expect(await submitted()).toHaveLength(count);
    await connection.command("MAIL FROM:<ada+tag@here.test>", [250]);
    await connection.quit();
  });

  test("from the address of a shared account is saved there", async () => {
    const team = await host.account("team@here.test");
    const stranger = await signedIn();
    expect((await stranger.command("MAIL FROM:<team@here.test>")).code).toBe(550);
    await stranger.quit();
    await shareAccount(host.store, login, team);
    doors.authenticator.forget(login);
    const connection = await signedIn();
    await connection.send({
      from: "team@here.test",
      to: "eve@far.test",
      data: mail("for the team", { from: "team@here.test" }),
    });
    expect((await host.mails(team)).map(({ subject }) => subject)).toEqual(["for the team"]);
    await connection.quit();
  });

  test("has the parameters of DSN and FUTURERELEASE, as EmailSubmission", async () => {
    const connection = await signedIn();
    await connection.command(`MAIL FROM:<${login}> RET=HDRS AUTH=<> ENVID=a+2Bb HOLDFOR=3600 BODY=8BITMIME`, [250]);
    await connection.command("RCPT TO:<eve@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;eve@far.test", [250]);
    await connection.command("RCPT TO:<not an address>", [501]);
    expect((await connection.data(mail("later"))).code).toBe(250);
    const submission = await latest();
    expect(submission.envelope).toEqual({
      mailFrom: { email: login, parameters: { RET: "HDRS", ENVID: "a+b", HOLDFOR: "3600", BODY: "8BITMIME" } },
      rcptTo: [{ email: "eve@far.test", parameters: { NOTIFY: "SUCCESS,FAILURE", ORCPT: "rfc822;eve@far.test" } }],
    });
    expect(Date.parse(submission.sendAt) - Date.now()).toBeGreaterThan(3_500_000);
    expect(submission.undoStatus).toBe("pending");
    for (const wrong of ["HOLDFOR=x", "HOLDFOR=99999999", "RET=NO"]) {
      expect((await connection.command(`MAIL FROM:<${login}> ${wrong}`)).code, wrong).toBe(501);
    }
    expect((await connection.command(`MAIL FROM:<${login}> FOO=1`)).code).toBe(555);
    await connection.quit();
  });

  test("that is too large, or for which there is no room, is refused", async () => {
    const connection = await signedIn("bob@here.test", "bob's own");
    const from = "bob@here.test";
    const large = `${mail("large", { from })}${"x".repeat(70)}\r\n`;
    expect((await connection.command(`MAIL FROM:<${from}> SIZE=300000`)).line).toMatch(/^552 5\.3\.4 /);
    await connection.command(`MAIL FROM:<${from}>`, [250]);
    await connection.command("RCPT TO:<eve@far.test>", [250]);
    expect((await connection.data(large + `${"x".repeat(70)}\r\n`.repeat(4_000))).line).toMatch(/^552 5\.3\.4 /);
    await host.store.write(bob, "server", (tx) => setQuota(tx, 10));
    await connection.command(`MAIL FROM:<${from}>`, [250]);
    await connection.command("RCPT TO:<eve@far.test>", [250]);
    expect((await connection.data(large)).line).toMatch(/^552 5\.2\.2 /);
    expect(await host.mails(bob)).toEqual([]);
    await connection.quit();
  });
});

test("a message that has a virus is refused, and nothing of it is kept", async () => {
  const before = (await submitted()).length;
  vi.spyOn(host.scanners, "findVirus").mockResolvedValueOnce("Eicar");
  const connection = await signedIn();
  await connection.command(`MAIL FROM:<${login}>`, [250]);
  await connection.command("RCPT TO:<eve@far.test>", [250]);
  expect((await connection.data(mail("infected"))).line).toMatch(/^554 5\.6\.0 it has the virus Eicar/);
  expect(await submitted()).toHaveLength(before);
});
