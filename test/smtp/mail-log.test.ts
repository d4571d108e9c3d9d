import { describe, expect, test } from "vitest";
import { deliver } from "../../conformance/client/smtp.ts";
import { mailIdOf } from "../../src/base/mail-log.ts";
import { attemptsOf, erroneousAttempts } from "../../src/store/queues/attempts.ts";
import { eventsAbout, eventsOf } from "../../src/store/queues/mail-log.ts";
import { message } from "../support/messages.ts";
import { until } from "../support/ports.ts";
import { ada, bob, host, mail, sent, sink, status, useOutbox } from "./outbox.ts";

useOutbox();

const attemptNumbers = async () => {
  const rows = await attemptsOf(host.store.reader(ada, "server"), await submissions());
  return rows.toSorted((one, other) => one.at.getTime() - other.at.getTime());
};
const submissions = async () =>
  (await host.rows("SELECT id FROM submission WHERE user_id = $1", [ada])).map(({ id }) => id as number);
const logged = (id: number) =>
  host.events.filter(({ fields }) => (fields as { id?: string }).id === mailIdOf(id)).map(({ event }) => event);
const minutes = (count: number) => {
  host.clock.ahead += count * 60_000;
  host.mailOut!.wake();
};

describe("one id follows a mail", () => {
  test("out, through a 4xx to a 2xx, with all that was said but the message", async () => {
    sink.program({ stage: "rcpt", address: "cy@far.test", times: 1, reply: "451 4.3.0 not now" });
    const { id: submission } = await sent(await mail("cy@far.test", "Secret subject"));
    await until("a deferral", async () => (await attemptNumbers()).length === 1);
    minutes(3);
    await status(submission, "cy@far.test", "unknown");
    await host.mailOut!.idle();
    const [first, second] = await attemptNumbers();
    expect(first).toMatchObject({
      attempt: 1,
      server: 0,
      host: "mx.far.test",
      address: "127.0.0.1",
      outcome: "deferred",
    });
    expect(first).toMatchObject({ reply: "451 4.3.0 not now", recipients: ["cy@far.test"], error: null });
    expect(second).toMatchObject({
      attempt: 2,
      outcome: "sent",
      mailId: first!.mailId,
      tls: expect.stringMatching(/^TLSv1/),
    });
    expect(second!.transcript).toMatch(
      /^S: 220 .*\nC: EHLO mx\.posthorn\.test\n[\s\S]*C: STARTTLS\n[\s\S]*C: MAIL FROM:<ada@here\.test>[\s\S]*C: RCPT TO:<cy@far\.test>[\s\S]*C: DATA\n[\s\S]*S: 354 .*\nS: 250 .*/,
    );
    expect(second!.transcript).not.toContain("Secret subject");
    expect(sink.messages[0]!.raw.toString()).toContain(`Received: by mx.posthorn.test id ${mailIdOf(first!.mailId)};`);
    expect(logged(first!.mailId)).toEqual(["mail out", "mail out"]);
    await host.mailLog.flush();
    const events = await eventsOf(host.database, [first!.mailId]);
    expect(events.map(({ event, fields }) => [event, fields.attempt, Boolean(fields.next)])).toEqual([
      ["mail out", 1, true],
      ["mail out", 2, false],
    ]);
  });

  test("from outside to a mailbox, from the recipients that were refused on", async () => {
    await host.listen();
    const raw = message({
      from: "eve@there.test",
      to: "ada@here.test",
      subject: "In",
      headers: { "Message-ID": "<in-1@there.test>" },
    } as never);
    const to = { port: host.smtpPort, from: "eve@there.test", timeoutMs: 10_000 };
    await expect(deliver({ ...to, to: "nobody@here.test", data: (await raw).toString("latin1") })).rejects.toThrow();
    await deliver({ ...to, to: "ada@here.test", data: (await raw).toString("latin1") });
    await host.incoming.idle();
    await host.mailLog.flush();
    const since = new Date(0);
    const [refused] = await eventsAbout(host.database, "nobody@here.test", since);
    expect(refused).toMatchObject({
      event: "recipient refused",
      fields: { reply: "550 5.1.1 no such address here: check how it is written", remoteAddress: "127.0.0.1" },
    });
    expect(refused!.mailId).not.toBeNull();
    const found = (await eventsAbout(host.database, "<in-1@there.test>", since)).toReversed();
    expect(found.map(({ event }) => event)).toEqual(["mail in", "delivered"]);
    const [taken, delivered] = found;
    expect(taken).toMatchObject({
      fields: { helo: expect.any(String), accounts: [ada], results: expect.stringContaining("spf=") },
    });
    expect(delivered).toMatchObject({
      mailId: taken!.mailId,
      fields: { account: ada, mailboxes: [expect.stringMatching(/^m/)] },
    });
    const [stored] = (await host.mails(ada)).filter(({ subject }) => subject === "In");
    expect(stored!.raw).toContain(` id ${mailIdOf(taken!.mailId!)};`);
  });

  test("between our users", async () => {
    await sent(await mail("bob@here.test", "Near"));
    const found = await until("mail to Bob", async () =>
      (await host.mails(bob)).find(({ subject }) => subject === "Near"),
    );
    await host.mailOut!.idle();
    await host.incoming.idle();
    const [, name] = /Received: by mx\.posthorn\.test\r\n \(rp-[\w-]+\) id (q\w+);/.exec(found.raw)!;
    const lines = host.events.filter(({ fields }) => (fields as { id?: string }).id === name);
    expect(lines.map(({ event }) => event).sort()).toEqual(["delivered", "mail out"]);
  });
});

test("a domain without a server is in the error queue; a refusal by a server is not", async () => {
  host.dns.set("none.test", "A", "192.0.2.1");
  sink.program({ stage: "rcpt", address: "no@far.test", reply: "550 5.1.1 unknown" });
  await sent(await mail("x@nowhere.test, no@far.test", "Lost"));
  const errors = () => erroneousAttempts(host.database, host.log, { before: new Date(Date.now() + 1e9), limit: 10 });
  const [error] = await until("an error", async () => ((await errors()).length > 0 ? errors() : undefined));
  await host.mailOut!.idle();
  expect(error).toMatchObject({ error: "route", host: null, recipients: ["x@nowhere.test"], outcome: "failed" });
  expect(error!.transcript).toMatch(/^\* 550 5\.1\.2 /);
  expect(await errors()).toHaveLength(1);
  expect(host.heard.told.filter(([name]) => name === "mailInTrouble")).toEqual([["mailInTrouble", { error: "route" }]]);
});
