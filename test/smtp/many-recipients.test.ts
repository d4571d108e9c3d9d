import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { get, host, mail, refusal, sent, useOutbox } from "./outbox.ts";

useOutbox();

interface Taken {
  connection: number;
  to: string[];
}

/** A remote server that takes a number of recipients per transaction, and replies as scripted to the others. */
let peer: Server;
const open = new Set<Socket>();
let taken: Taken[];
let connections: number;
/** Those of earlier tests. */
let opened = 0;
let rules: { maxRecipients: number; reply: string; mail?: (transaction: number) => string };

function converse(socket: Socket): void {
  const connection = ++connections + opened;
  let to: string[] = [];
  let transactions = 0;
  let isData = false;
  const say = (text: string) => socket.write(`${text}\r\n`);
  const hear = (line: string) => {
    if (isData) {
      if (line !== ".") return;
      isData = false;
      taken.push({ connection, to });
      return say("250 2.0.0 taken");
    }
    if (line === "DATA") {
      isData = to.length > 0;
      return say(isData ? "354 go" : "503 5.5.1 for whom?");
    }
    if (/^EHLO/.test(line)) return say("250-mx.far.test\r\n250 PIPELINING");
    if (/^MAIL/.test(line)) {
      to = [];
      return say(rules.mail?.(++transactions) ?? "250 ok");
    }
    const recipient = /^RCPT TO:<(.*)>/.exec(line)?.[1];
    if (recipient === undefined) return say("250 ok");
    if (to.length >= rules.maxRecipients) return say(rules.reply);
    to.push(recipient);
    return say("250 ok");
  };
  open.add(socket);
  socket.on("error", () => {});
  let rest = "";
  socket.on("data", (chunk) => {
    const lines = (rest + chunk).split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) hear(line);
  });
  say("220 mx.far.test ESMTP");
}

beforeAll(async () => {
  peer = createServer(converse);
  await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
  await host.mailOut?.close();
  host.startMailOut((peer.address() as { port: number }).port);
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await new Promise<void>((resolve) => peer.close(() => resolve()));
});
beforeEach(() => {
  taken = [];
  opened += connections ?? 0;
  connections = 0;
});

const addresses = (count: number) => Array.from({ length: count }, (_, at) => `x${at}@far.test`);
async function send(count: number) {
  const rcptTo = addresses(count).map((email) => ({ email }));
  const { id } = await sent(await mail("all@far.test", "To many"), {
    envelope: { mailFrom: { email: "ada@here.test" }, rcptTo },
  });
  await until("every answer", async () =>
    Object.values((await get(id)).deliveryStatus).every(({ smtpReply }) => smtpReply !== "250 2.1.5 queued"),
  );
  await host.mailOut!.idle();
  return (await get(id)).deliveryStatus;
}
/** The recipients of all transactions, sorted, since their order is not fixed. */
const everyone = () => taken.flatMap(({ to }) => to).sort();
const kinds = (status: Record<string, { delivered: string; smtpReply: string }>) =>
  [...new Set(Object.values(status).map(({ delivered, smtpReply }) => `${delivered} ${smtpReply}`))].sort();

test.each([
  "552 too many recipients",
  "552 Requested mail action aborted: exceeded storage allocation",
  "452 4.5.3 Too many recipients",
])("recipients refused with %s from the 101st on get the mail at once, over the same connection", async (reply) => {
  rules = { maxRecipients: 100, reply };
  expect(kinds(await send(250))).toEqual(["unknown 250 2.0.0 taken"]);
  expect(taken.map(({ to }) => to.length)).toEqual([100, 100, 50]);
  expect(everyone()).toEqual(addresses(250).sort());
  expect(new Set(taken.map(({ connection }) => connection)).size).toBe(1);
});

test("when the server accepts no further transaction, the remaining recipients wait for the next attempt", async () => {
  rules = {
    maxRecipients: 100,
    reply: "552 too many recipients",
    mail: (transaction) => (transaction > 1 ? "550 5.7.1 one message a connection" : "250 ok"),
  };
  const status = await send(150);
  expect(kinds(status)).toEqual(["queued 552 too many recipients", "unknown 250 2.0.0 taken"]);
  host.clock.ahead += 3 * 60_000;
  host.mailOut!.wake();
  await until("the rest", () => taken.length === 2);
  expect(everyone()).toEqual(addresses(150).sort());
});

test("a full mailbox does not count as too many recipients", async () => {
  rules = { maxRecipients: 100, reply: "552 5.2.2 this mailbox is full" };
  expect(kinds(await send(102))).toEqual(["no 552 5.2.2 this mailbox is full", "unknown 250 2.0.0 taken"]);
  expect(taken).toHaveLength(1);
});

test("a server that accepts no recipient is not asked without end", async () => {
  rules = { maxRecipients: 0, reply: "552 too many recipients" };
  expect(kinds(await send(3))).toEqual(["queued 552 too many recipients"]);
  expect(connections).toBeLessThanOrEqual(1);
});

test.each(["a..b@far.test", ".a@far.test", "docomo.@far.test", '"a b"@far.test', '"a@b"@far.test'])(
  "%s gets mail, named in the envelope or in the header",
  async (address) => {
    rules = { maxRecipients: 100, reply: "" };
    const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo: [{ email: address }] };
    await sent(await mail("x@far.test", "Odd"), { envelope });
    await until("the mail", () => taken.length === 1);
    const header = `From: ada@here.test\r\nTo: Odd <${address}>\r\nSubject: Odd\r\n\r\nHello.\r\n`;
    await sent(Buffer.from(header));
    await until("the mail", () => taken.length === 2);
    expect(taken.map(({ to }) => to)).toEqual([[address], [address]]);
  },
);

test.each(['"a<b"@far.test', '"a\tb"@far.test', '"a"b"@far.test', "a b@far.test"])(
  "%j is refused when it is submitted",
  async (address) => {
    const envelope = { mailFrom: { email: "ada@here.test" }, rcptTo: [{ email: address }] };
    expect(await refusal(await mail("x@far.test", "Odd"), { envelope })).toMatchObject({ type: "invalidRecipients" });
  },
);
