import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmtpSink, startSink } from "../../../test/support/smtp-sink.ts";
import { offeredBy, sayParameters } from "./fitted.ts";

interface Inner {
  upgrading?: boolean;
  destroyed: boolean;
  _ehloLines: string[];
}

let sink: SmtpSink;
beforeAll(async () => {
  sink = await startSink();
});
afterAll(() => sink.stop());

const connectionTo = (port: number) =>
  new SMTPConnection({ host: "127.0.0.1", port, tls: { rejectUnauthorized: false }, logger: false });
const within = (connection: SMTPConnection) => connection as unknown as Inner;

test("nodemailer keeps the lines of EHLO, and whether the connection is over", async () => {
  sink.offer({ extensions: ["8BITMIME", "SMTPUTF8", "DSN"], size: 1_000 });
  const connection = connectionTo(sink.port);
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
  expect(within(connection)._ehloLines).toEqual(expect.arrayContaining(["8BITMIME", "SIZE 1000"]));
  expect(offeredBy(connection)).toEqual({ eightBit: true, utf8: true, size: 1_000, dsn: true });
  expect(within(connection)).toMatchObject({ upgrading: false, destroyed: false });
  connection.close();
  await expect.poll(() => within(connection).destroyed).toBe(true);
});

test("nodemailer sends each command by one method of the connection", async () => {
  sink.offer();
  const connection = connectionTo(sink.port);
  await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
  sayParameters(connection, {
    ...{ mailFrom: "eve@here.test", recipients: ["ada@there.test"], places: [0], message: Buffer.from("") },
    mailParameters: ["RET=HDRS"],
    rcptParameters: new Map([["ada@there.test", ["NOTIFY=NEVER"]]]),
  });
  const envelope = { from: "eve@here.test", to: ["ada@there.test", "bob@there.test"] };
  await new Promise<void>((resolve, reject) =>
    connection.send(envelope, "Subject: x\r\n\r\nHello.\r\n", (error) => (error ? reject(error) : resolve())),
  );
  expect(sink.commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
    "MAIL FROM:<eve@here.test> RET=HDRS",
    "RCPT TO:<ada@there.test> NOTIFY=NEVER",
    "RCPT TO:<bob@there.test>",
  ]);
  connection.quit();
});

test("nodemailer reports a broken handshake as such", async () => {
  const replies = ["250-mx.test\r\n250 STARTTLS\r\n", "220 go on\r\n"];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      const reply = replies.shift();
      if (reply) socket.write(reply);
      else socket.destroy();
    });
    socket.write("220 mx.test ESMTP\r\n");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = connectionTo((server.address() as AddressInfo).port);
  const upgrading = await new Promise((resolve) => {
    connection.once("error", () => resolve(within(connection).upgrading));
    connection.connect(() => resolve(undefined));
  });
  expect(upgrading).toBe(true);
  server.close();
});
