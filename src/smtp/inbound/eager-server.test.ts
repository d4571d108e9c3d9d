import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import { afterEach, expect, test } from "vitest";
import { until } from "../../../test/support/ports.ts";
import { SmtpConnection } from "../../../test/support/smtp-client.ts";

/** The library's methods that we override: the library must call each of them on the connection itself. */
const overridden = [
  "send",
  "close",
  "_onClose",
  "_createParser",
  "upgrade",
  "_onCommand",
  "_parseAddressCommand",
] as const;
type Name = (typeof overridden)[number];

const calls: { connection: Noting; name: Name; args: unknown[] }[] = [];
let server: PlainServer;

class Noting extends SMTPConnection {}
for (const name of overridden) {
  const original = SMTPConnection.prototype[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(Noting.prototype, name, {
    value(this: Noting, ...args: unknown[]) {
      calls.push({ connection: this, name, args });
      return original.apply(this, args);
    },
  });
}

class PlainServer extends SMTPServer {
  connection!: Noting;

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    this.connection = new Noting(this, socket, options);
    this.connections.add(this.connection);
    this.connection.init();
  }
}

async function greeted(options: SMTPServerOptions = {}): Promise<SmtpConnection> {
  server = new PlainServer({
    ...options,
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    size: 1_000_000,
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  return SmtpConnection.greet({ port: (server.server.address() as AddressInfo).port });
}
afterEach(() => new Promise<void>((resolve) => server.close(resolve)));

const called = (name: Name) =>
  calls.filter((call) => call.connection === server.connection && call.name === name).map(({ args }) => args);
const from = "MAIL FROM:<eve@there.test>";

test("a connection tells who it is and what it is doing", async () => {
  const states: object[] = [];
  const state = () => {
    const { _parser: parser, _handlerPending, _dataStream, _transactionCounter } = server.connection;
    const data = parser && { mode: parser._dataMode, bytes: parser.dataBytes };
    return { _handlerPending, isInData: Boolean(_dataStream), _transactionCounter, data };
  };
  const client = await greeted({
    onMailFrom: (_, __, done) => {
      states.push(state());
      done();
    },
    onData: (stream, _, done) => {
      stream.once("data", () => states.push(state()));
      stream.once("end", () => {
        states.push(state());
        done(null, "taken");
      });
    },
  });
  const { connection } = server;
  expect(server.connections.has(connection)).toBe(true);
  expect(connection).toMatchObject({
    ...{ name: expect.any(String), remoteAddress: "127.0.0.1", session: { remoteAddress: "127.0.0.1" } },
    ...{ _server: server, _upgrading: false, _socket: { writable: true, allowHalfOpen: false } },
  });
  const idle = { _handlerPending: false, isInData: false, _transactionCounter: 0 };
  expect(state()).toMatchObject({ ...idle, data: { mode: false } });
  await client.command(from, [250]);
  await client.command("RCPT TO:<ada@here.test>", [250]);
  await client.data("Subject: x\r\n\r\nHello.\r\n");
  expect(states).toEqual([
    { ...idle, _handlerPending: true, data: { mode: false, bytes: 0 } },
    { ...idle, isInData: true, data: { mode: true, bytes: expect.any(Number) } },
    { ...idle, isInData: true, data: { mode: false, bytes: 22 } },
  ]);
  expect(state()).toMatchObject({ ...idle, _transactionCounter: 1 });
  client.destroy();
});

test("replies, commands and paths pass through the methods that are overridden", async () => {
  const client = await greeted({ hideENHANCEDSTATUSCODES: false });
  await client.command(from, [250]);
  await client.command("RCPT TO:<ada@here.test>", [250]);
  await client.data("Subject: x\r\n\r\nHello.\r\n");
  expect(called("send").map(([code, , context]) => [code, context])).toEqual([
    ...[
      [220, false],
      [250, false],
      [250, "MAIL_FROM_OK"],
      [250, "RCPT_TO_OK"],
      [354, undefined],
      [250, "DATA_OK"],
    ],
  ]);
  expect(called("_onCommand").map(([line, next]) => [String(line).split(" ")[0], typeof next])).toEqual([
    ...["EHLO", "MAIL", "RCPT", "DATA"].map((name) => [name, "function"]),
  ]);
  expect(called("_parseAddressCommand").map(([name, line]) => [name, String(line)])).toEqual([
    ["mail from", from],
    ["rcpt to", "RCPT TO:<ada@here.test>"],
  ]);
  const { connection } = server;
  expect(connection._parseAddressCommand("mail from", "mail from:<> SIZE=10 BODY=8BITMIME")).toEqual({
    ...{ address: "", args: { SIZE: "10", BODY: "8BITMIME" } },
  });
  expect(connection._getEnhancedStatusCode(250, "MAIL_FROM_OK")).toBe("2.1.0");
  expect(connection._getEnhancedStatusCode(421, false)).toBe("");
  client.destroy();
});

test("what has no end of line before the end is passed on without a callback", async () => {
  const client = await greeted();
  client.write("NOOP\r\nNOO");
  await client.read();
  const parser = server.connection._parser;
  if (parser) parser.end();
  await until("the rest", async () => called("_onCommand").length === 3);
  expect(called("_onCommand")[2]!.map((one) => one && String(one))).toEqual(["NOO", undefined]);
  client.destroy();
});

test("STARTTLS upgrades with a new parser, and forgets the name", async () => {
  let during: boolean | undefined;
  const client = await greeted({
    onSecure: (_, session, done) => {
      during = server.connection._upgrading;
      expect(session.hostNameAppearsAs).toBe(false);
      done();
    },
  });
  expect(called("_createParser")).toHaveLength(1);
  await client.startTls();
  expect(called("upgrade")).toEqual([[expect.any(Function)]]);
  expect(called("_createParser")).toHaveLength(2);
  expect(during).toBe(false);
  expect(server.connection.session.tlsOptions).toMatchObject({
    version: expect.any(String),
    standardName: expect.any(String),
  });
  client.destroy();
});

test("QUIT closes, and a closed connection is told once", async () => {
  const ended: string[] = [];
  const client = await greeted({ onClose: ({ id }) => void ended.push(id) });
  const { connection } = server;
  await client.quit();
  await until("the end", async () => ended.length > 0);
  expect(called("close").length).toBeGreaterThan(0);
  expect(called("_onClose")).toHaveLength(1);
  expect(server.connections.has(connection)).toBe(false);
  expect(ended).toEqual([connection.session.id]);
});
