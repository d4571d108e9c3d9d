import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trace } from "../../src/admin/trace.ts";
import { mailIdOf } from "../../src/base/mail-log.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import { listen } from "../../src/cli/doors.ts";
import { createLmtp } from "../../src/smtp/inbound/lmtp.ts";
import type { LmtpOptions } from "../../src/smtp/inbound/options.ts";
import type { SmtpIn } from "../../src/smtp/inbound/server.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { testAdmin } from "../support/admin.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;
let bob: number;
const servers: SmtpIn[] = [];

beforeAll(async () => {
  host = await startMailHost();
  ada = await host.account("ada@here.test");
  bob = await host.account("bob@here.test");
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await host.stop();
});

async function create(more: Partial<LmtpOptions> = {}): Promise<SmtpIn> {
  const { database, blobs, incoming, returnPaths, clock, log, mailLog, dns, heard } = host;
  const server = await createLmtp({
    ...{ database, blobs, incoming, returnPaths, clock, log, mailLog, newId: () => incoming.newId() },
    ...{ resolver: dns.resolver(), events: heard.events },
    ...{ counts: new OwnCounts({ clock }), hostname: "mx.posthorn.test", maxMessageSize: 200_000, maxConnections: 100 },
    ...{ peers: [], authserv: "", isLocal: false, ...more },
  });
  servers.push(server);
  return server;
}
const port = async (more: Partial<LmtpOptions> = {}) => (await create(more)).listen("127.0.0.1", 0);

async function greet(target: { port: number; localAddress?: string }): Promise<SmtpConnection> {
  const connection = await SmtpConnection.open(target);
  expect((await connection.expect("greeting", [220])).line).toContain(" LMTP");
  await connection.command("LHLO mta.test", [250]);
  return connection;
}
const mail = (subject: string, more = "") =>
  `${more}From: eve@there.test\r\nTo: ada@here.test\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;
const arrived = (account: number, subject: string) =>
  until(subject, async () => (await host.mails(account)).find((one) => one.subject === subject));
const roleOf = async (account: number, subject: string) => {
  const { mailboxIds } = await arrived(account, subject);
  const [row] = await host.rows("SELECT role FROM mailbox WHERE user_id = $1 AND id = $2", [account, mailboxIds[0]]);
  return row!.role;
};

test("each RCPT that was accepted has a reply of its own, also one given twice", async () => {
  const connection = await greet({ port: await port() });
  expect((await connection.command("EHLO mta.test")).code).toBe(500);
  await host.store.write(bob, "server", (tx) => setQuota(tx, 20));
  await connection.command("MAIL FROM:<eve@there.test>", [250]);
  for (const [to, code] of [
    ["ada@here.test", 250],
    ["bob@here.test", 250],
    ["nobody@here.test", 550],
    ["ADA@here.test", 250],
  ] as const) {
    await connection.command(`RCPT TO:<${to}>`, [code]);
  }
  expect((await connection.data(mail("to three"))).line).toMatch(/^250 2\.1\.5 accepted as q/);
  expect((await connection.read()).line).toMatch(/^452 4\.2\.2 this mailbox is full \(q\w+\)$/);
  expect((await connection.read()).line).toMatch(/^250 2\.1\.5 /);
  expect((await connection.command("NOOP")).code).toBe(250);
  const { raw } = await arrived(ada, "to three");
  expect(raw).toMatch(
    /^Return-Path: <eve@there\.test>\r\nReceived: from mta\.test \(\[127\.0\.0\.1\]\)\r\n by \S+ with LMTP id q/,
  );
  expect(await host.mails(bob)).toEqual([]);
  await connection.quit();
  await host.incoming.idle();
  await host.mailLog.flush();
  const [taken, ...others] = await trace(testAdmin(host.store), "ada@here.test", 60_000);
  expect(others).toEqual([]);
  expect(raw).toContain(` id ${mailIdOf(taken!.mailId!)};`);
  expect(taken!.events.map(({ event, fields: { to, accounts } }) => [event, to, accounts])).toEqual(
    expect.arrayContaining([
      ["recipient refused", ["nobody@here.test"], undefined],
      ["mail in", ["ADA@here.test"], [ada]],
      ["mail refused", ["bob@here.test"], undefined],
      ["delivered", [expect.any(String)], undefined],
    ]),
  );
});

test("a refused message is refused for each, and none is stored", async () => {
  const connection = await greet({ port: await port() });
  await connection.command("DATA", [503]);
  await connection.command("MAIL FROM:<eve@there.test>", [250]);
  for (let at = 0; at < 2; at++) await connection.command("RCPT TO:<ada@here.test>", [250]);
  expect((await connection.data(`${mail("large")}${`${"x".repeat(70)}\r\n`.repeat(4_000)}`)).line).toMatch(
    /^552 5\.3\.4 /,
  );
  expect((await connection.read()).line).toMatch(/^552 5\.3\.4 .* \(q\w+\)$/);
  expect((await connection.command("NOOP")).code).toBe(250);
  await connection.quit();
});

test("a signed return path is an address, a forged one is not", async () => {
  const connection = await greet({ port: await port() });
  await connection.command("MAIL FROM:<>", [250]);
  const address = await host.returnPaths.address({ userId: ada, submissionId: 7 }, "here.test", host.clock.now());
  await connection.command(`RCPT TO:<${address}>`, [250]);
  await connection.command(`RCPT TO:<${address.replace(/.{16}@/, `${"a".repeat(16)}@`)}>`, [550]);
  await connection.quit();
});

test("results of the server in front count only by option", async () => {
  const results = (name: string, policy: string) =>
    `Authentication-Results: ${name}; spf=fail smtp.mailfrom=there.test; dmarc=fail (p=${policy} dis=none) header.from=there.test\r\n`;
  const [plain, believing] = [
    await greet({ port: await port() }),
    await greet({ port: await port({ authserv: "front.test" }) }),
  ];
  const send = async (connection: SmtpConnection, subject: string, more: string) => {
    await connection.send({ from: "eve@there.test", to: "ada@here.test", data: mail(subject, more) });
    return roleOf(ada, subject);
  };
  expect(await send(plain, "not believed", results("front.test", "reject"))).toBe("inbox");
  expect(await send(believing, "believed", results("front.test", "reject"))).toBe("junk");
  expect(await send(believing, "no policy", results("front.test", "none"))).toBe("inbox");
  expect(await send(believing, "another", results("evil.test", "reject"))).toBe("inbox");
  const below = results("Front.test", "none") + results("front.test", "reject");
  expect(await send(believing, "the topmost", below)).toBe("inbox");
  const kept = await host.rows("SELECT subject, authentication FROM message WHERE user_id = $1 AND subject = ANY($2)", [
    ada,
    ["not believed", "no policy", "another"],
  ]);
  expect(Object.fromEntries(kept.map(({ subject, authentication }) => [subject, authentication]))).toMatchObject({
    "not believed": null,
    another: null,
    "no policy": {
      authservId: "front.test",
      spf: { result: "fail", domain: "there.test" },
      dmarc: [{ result: "fail", domain: "there.test", policy: "none", override: null }],
    },
  });
  await plain.quit();
  await believing.quit();
});

test("a socket file is for its owner and group, and that of a killed server is replaced", async () => {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-lmtp-"));
  const path = join(folder, "lmtp.sock");
  const { server } = await create({ isLocal: true });
  expect(await listen(server, { path })).toBe(0);
  expect((await stat(path)).mode & 0o777).toBe(0o660);
  await expect(listen(createServer(), { path })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await writeFile(join(folder, "other"), "");
  await expect(listen(createServer(), { path: join(folder, "other") })).rejects.toMatchObject({ code: "EADDRINUSE" });
  const killed = join(folder, "killed");
  await rename(path, killed);
  server.close();
  const next = createServer();
  expect(await listen(next, { path: killed })).toBe(0);
  next.close();
  await rm(folder, { recursive: true });
});
