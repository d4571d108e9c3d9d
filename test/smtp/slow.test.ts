import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unprepared } from "../../src/store/core/sql.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen({ maxMessageSize: 5_000_000 });
  await host.account("ada@here.test");
});
afterAll(() => host.stop());

const greet = () => SmtpConnection.greet({ port: host.smtpPort });
/** Longer than the server's interval between two looks at its connections. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 3_500));
async function inData(): Promise<SmtpConnection> {
  const connection = await greet();
  await connection.command("MAIL FROM:<eve@there.test>", [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  await connection.command("DATA", [354]);
  return connection;
}

test("a peer that only trickles is disconnected after five minutes; one that makes progress is not", async () => {
  const [trickles, creeps, works, idles] = [await greet(), await inData(), await inData(), await greet()];
  await aWhile();
  for (let minute = 1; minute <= 6; minute++) {
    host.clock.ahead += 61_000;
    trickles.write("N");
    creeps.write("x");
    works.write("x".repeat(9_000));
    if (minute === 3) await idles.command("NOOP", [250]);
    await aWhile();
  }
  expect((await trickles.read()).line).toMatch(/^421 4\.4\.2 /);
  expect((await creeps.read()).line).toMatch(/^421 4\.4\.2 /);
  works.write("\r\n.\r\n");
  expect((await works.read()).code).toBe(250);
  await idles.command("NOOP", [250]);
  await works.quit();
  await idles.quit();
}, 60_000);

test("when most places are taken, idle peers are disconnected sooner", async () => {
  const idlers = await Promise.all(Array.from({ length: 501 }, greet));
  await aWhile();
  host.clock.ahead += 31_000;
  expect((await idlers[0]!.read()).line).toMatch(/^421 4\.4\.2 /);
  for (const connection of idlers) connection.destroy();
}, 60_000);

test("when there are more connections than places, the one idle for the longest is closed", async () => {
  const many: SmtpConnection[] = [];
  for (let at = 0; at < 1_000; at++) {
    many.push(await SmtpConnection.open({ port: host.smtpPort, timeoutMs: 30_000 }));
    expect((await many[at]!.read()).code).toBe(220);
  }
  host.clock.ahead += 1_000;
  await many[0]!.command("EHLO there.test", [250]);
  await many[0]!.command("MAIL FROM:<eve@there.test>", [250]);
  const late = await greet();
  expect((await many[1]!.read()).line).toMatch(/^421 4\.3\.2 /);
  expect(host.warnings.splice(0)).toEqual([{ places: 1_000 }]);
  await many[0]!.command("RCPT TO:<ada@here.test>", [250]);
  for (const connection of [...many, late]) connection.destroy();
}, 60_000);

test("when all connections wait for our reply, a new one is told to come later", async () => {
  const many = await Promise.all(Array.from({ length: 1_000 }, greet));
  for (const connection of many) await connection.command("MAIL FROM:<eve@there.test>", [250]);
  await host.database.transaction("BEGIN", async (lock) => {
    await lock.run(unprepared("/* test */ LOCK TABLE address IN ACCESS EXCLUSIVE MODE"));
    for (const connection of many) connection.write("RCPT TO:<ada@here.test>\r\n");
    await until("all wait", async () => {
      const late = await SmtpConnection.open({ port: host.smtpPort });
      const { code } = await late.read();
      late.destroy();
      return code === 421;
    });
  });
  // Earlier connections may have taken a few places.
  const codes = await Promise.all(many.map((connection) => connection.read().then(({ code }) => code)));
  expect(codes.filter((code) => code === 250).length).toBeGreaterThan(950);
  for (const connection of many) connection.destroy();
}, 60_000);

test("a connection that breaks off within DATA leaves nothing behind and logs no error", async () => {
  const connection = await inData();
  connection.write("x".repeat(900_000));
  connection.write("x\r\n".repeat(200_000));
  await until("a spool", async () => (await spooled()).length > 0);
  connection.destroy();
  await until("no spool", async () => (await spooled()).length === 0);
  expect(await host.rows("SELECT id FROM incoming")).toEqual([]);
  await logged("mail broken off by its sender");
  expect(host.warnings).toEqual([]);
});

test("a connection that is reset within TLS logs no error", async () => {
  const socket = connect(host.smtpPort, "127.0.0.1");
  const heard = async () => String((await once(socket, "data"))[0]);
  await heard();
  socket.write("EHLO there.test\r\n");
  await heard();
  socket.write("STARTTLS\r\n");
  expect(await heard()).toMatch(/^220 /);
  const secure = connectTls({ socket, rejectUnauthorized: false });
  secure.on("error", () => {});
  await once(secure, "secureConnect");
  secure.write("EHLO there.test\r\nMAIL FROM:<eve@there.test>\r\n");
  let text = "";
  secure.on("data", (part: Buffer) => {
    text += String(part);
  });
  await until("an answer", async () => text.includes("250 2.1.0"));
  socket.resetAndDestroy();
  expect(await logged("smtp connection failed")).toEqual({ remoteAddress: "127.0.0.1", reason: "read ECONNRESET" });
  expect(host.warnings).toEqual([]);
});

test("a peer that sends commands but no message is disconnected; one that brings messages is not", async () => {
  const [talks, works] = [await greet(), await greet()];
  const most = 99;
  for (let count = 0; count < most; count++) await talks.command("NOOP", [250]);
  expect((await talks.command("NOOP", [421])).line).toMatch(/^421 4\.7\.0 /);
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 50; count++) await works.command("NOOP", [250]);
    await works.send({ from: "eve@there.test", to: "ada@here.test", data: "Subject: hello\n\nhello" });
  }
  await works.quit();
});

test("a message that goes on far beyond the limit is cut off", async () => {
  const connection = await inData();
  for (let megabyte = 0; megabyte < 21; megabyte++) connection.write("x".repeat(1_000_000));
  expect((await connection.read()).line).toMatch(/^421 5\.3\.4 /);
  await logged("mail refused");
}, 30_000);

/** Waits for a log line with this message, and returns its fields. */
const logged = (name: string) =>
  until("a word of it", async () => host.events.find(({ event }) => event === name)?.fields);

async function spooled(): Promise<string[]> {
  // The first message creates the folder.
  const names = await readdir(join(host.folder, "blobs"), { recursive: true }).catch(() => []);
  return names.filter((name) => /tmp|temp/.test(name) && !/(tmp|temp)$/.test(name));
}
