import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { get, host, mail, type Submission, sent, sink, status, useOutbox } from "./outbox.ts";

/** A relay without TLS that takes all mail instead of the domains' own servers. */
const stored: { to: string[]; raw: string }[] = [];
const passwords: string[] = [];
const relay = new SMTPServer({
  name: "relay.test",
  disabledCommands: ["STARTTLS"],
  authOptional: true,
  allowInsecureAuth: true,
  disableReverseLookup: true,
  logger: false,
  onAuth: ({ username, password }, _session, done) => {
    passwords.push(String(password));
    done(null, { user: username });
  },
  onData: (stream, session, done) => {
    void text(stream).then((raw) => {
      stored.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw });
      done();
    });
  },
});
let port: number;

useOutbox();
beforeAll(async () => {
  relay.listen(0, "127.0.0.1");
  await once(relay.server, "listening");
  port = (relay.server.address() as AddressInfo).port;
});
afterAll(() => new Promise<void>((resolve) => relay.close(() => resolve())));

async function use(smarthost: string): Promise<void> {
  await host.mailOut?.close();
  host.startMailOut(1, { smarthost });
}

test("with a smart host, mail for all other domains goes there", async () => {
  await use(`smtp://127.0.0.1:${port}`);
  const { id } = await sent(await mail("x@far.test", "By relay", { cc: "y@other.test" }));
  expect(await status(id, "x@far.test", "unknown")).toMatchObject({ smtpReply: expect.stringMatching(/^250 /) });
  await status(id, "y@other.test", "unknown");
  expect(stored.flatMap(({ to }) => to).sort()).toEqual(["x@far.test", "y@other.test"]);
  for (const { raw } of stored) expect(raw).toMatch(/^DKIM-Signature:/m);
});

test("a route takes the mail of its domain alone", async () => {
  await host.mailOut?.close();
  host.startMailOut(sink.port, { routes: new Map([["far.test", `smtp://127.0.0.1:${port}`]]) });
  const { id } = await sent(await mail("x@far.test", "Routed", { cc: "y@other.test" }));
  await status(id, "x@far.test", "unknown");
  await status(id, "y@other.test", "unknown");
  expect(stored.filter(({ raw }) => raw.includes("Routed")).map(({ to }) => to)).toEqual([["x@far.test"]]);
  expect(sink.messages.map(({ to }) => to)).toEqual([["y@other.test"]]);
});

test("the password is not sent to a server without a valid certificate: the mail waits", async () => {
  await use(`smtp://me:s3cret@127.0.0.1:${port}`);
  const { id } = await sent(await mail("x@far.test", "With a password"));
  const waiting = await until("an attempt", async (): Promise<Submission | undefined> => {
    const submission = await get(id);
    return submission.deliveryStatus["x@far.test"]?.smtpReply.startsWith("451 4.7.5") ? submission : undefined;
  });
  expect(waiting.deliveryStatus["x@far.test"]?.delivered).toBe("queued");
  expect(waiting.deliveryStatus["x@far.test"]?.smtpReply).toMatch(/\[127\.0\.0\.1\]: TLS refused: 500 /);
  expect(passwords).toEqual([]);
  expect(stored.filter(({ raw }) => raw.includes("With a password"))).toEqual([]);
});

test("a smart host that lacks the required TLS is reported in words", async () => {
  const plain = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 plain.far.test ESMTP\r\n");
  }).listen(0, "127.0.0.1");
  await once(plain, "listening");
  await use(`smtps://127.0.0.1:${(plain.address() as AddressInfo).port}`);
  const { id } = await sent(await mail("x@far.test", "Secure"));
  const reply = async () => (await get(id)).deliveryStatus["x@far.test"]!.smtpReply;
  await until("an attempt", async () => (await reply()).startsWith("451"));
  expect(await reply()).toBe("451 4.7.5 127.0.0.1 [127.0.0.1]: TLS handshake failed: wrong version number");
  plain.close();
});
