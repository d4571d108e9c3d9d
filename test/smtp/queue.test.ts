import { beforeEach, describe, expect, test } from "vitest";
import { deliver } from "../../conformance/client/smtp.ts";
import { readAudit } from "../../src/admin/audit.ts";
import { orderQueued, type QueueOrder, retryEnded } from "../../src/admin/queue.ts";
import { auditQueues, topOfQueue } from "../../src/admin/queue-audit.ts";
import { listErrors, listIncoming, listQueued } from "../../src/admin/queue-list.ts";
import type { Selection } from "../../src/admin/queue-selection.ts";
import { Refused } from "../../src/admin/refused.ts";
import { trace, why } from "../../src/admin/trace.ts";
import { mailIdOf } from "../../src/base/mail-log.ts";
import { testAdmin } from "../support/admin.ts";
import { until } from "../support/ports.ts";
import { startSink } from "../support/smtp-sink.ts";
import { ada, client, host, mail, sent, sink, status, useOutbox } from "./outbox.ts";

useOutbox();

const admin = () => {
  return { ...testAdmin(host.store), log: host.log, bus: { publish: () => host.mailOut!.wake() } };
};
const order = (selection: Selection, wanted: QueueOrder, options = {}) =>
  orderQueued(admin(), selection, wanted, options);
const list = async (selection: Selection = {}) => (await listQueued(admin(), selection, undefined, 100)).rows;
const inbox = async () => (await host.mails(ada)).map(({ subject }) => subject);
/** A mail that waits for its next attempt. */
async function deferred(to: string, subject: string, more = {}) {
  sink.program({ stage: "rcpt", address: to, times: 1, reply: "451 4.3.0 not now" });
  const submission = await sent(await mail(to, subject), more);
  await until("a deferral", async () =>
    (await list()).some((row) => row.rcptTo === to && row.attempts > 0 && row.standing === "waiting"),
  );
  await host.mailOut!.idle();
  const row = (await list()).find(({ rcptTo }) => rcptTo === to)!;
  return { ...row, submission };
}

beforeEach(async () => {
  await host.rows("UPDATE delivery SET state = 'canceled' WHERE state = 'queued'");
});

describe("an operator", () => {
  test("lists what waits, by domain, sender and age, and the largest heaps", async () => {
    const one = await deferred("a@far.test", "One");
    await deferred("b@other.test", "Two");
    expect((await list()).map(({ rcptTo }) => rcptTo).sort()).toEqual(["a@far.test", "b@other.test"]);
    expect(one).toMatchObject({ mailFrom: "ada@here.test", smtpReply: "451 4.3.0 not now", attempts: 1 });
    expect(one.name).toMatch(/^q/);
    expect((await list({ domain: "FAR.test" })).map(({ rcptTo }) => rcptTo)).toEqual(["a@far.test"]);
    expect(await list({ sender: "ada@here.test" })).toHaveLength(2);
    expect(await list({ sender: "bob@here.test" })).toEqual([]);
    expect(await list({ names: [one.name] })).toHaveLength(1);
    expect(await list({ minAgeMs: 3600_000 })).toEqual([]);
    await order({ domain: "far.test" }, { act: "hold" });
    const heaps = await topOfQueue(admin(), "domain", {}, 10);
    expect(heaps.map(({ of, waiting, held }) => [of, waiting, held]).sort()).toEqual([
      ["far.test", 0, 1],
      ["other.test", 1, 0],
    ]);
  });

  test("holds and releases a mail, which nobody tries meanwhile, with rows of the audit", async () => {
    const { name, submission } = await deferred("c@far.test", "Held");
    expect(await order({ names: [name] }, { act: "hold" }, { isDryRun: true })).toEqual({ changed: 1, trying: 0 });
    expect((await list())[0]!.standing).toBe("waiting");
    expect(await order({ names: [name] }, { act: "hold" })).toEqual({ changed: 1, trying: 0 });
    host.clock.ahead += 24 * 3600_000;
    await host.mailOut!.sweep();
    await host.mailOut!.idle();
    expect(sink.messages).toEqual([]);
    expect((await list())[0]!.standing).toBe("held");
    expect(await order({ names: [name] }, { act: "retry" })).toEqual({ changed: 0, trying: 0 });
    await order({ names: [name] }, { act: "release" });
    await status(submission.id, "c@far.test", "unknown");
    const { rows } = await readAudit(admin(), "ada@here.test", { limit: 2 });
    expect(rows.map(({ what }) => what)).toEqual([
      { act: "queue.release", submissions: submission.id },
      { act: "queue.hold", submissions: submission.id },
    ]);
  });

  test("tries a mail now; one that its sender delays is not sent earlier", async () => {
    const { name, submission } = await deferred("d@far.test", "Now");
    const until10 = new Date(host.clock.now().getTime() + 600_000).toISOString().replace(/\.\d+/, "");
    const envelope = {
      mailFrom: { email: "ada@here.test", parameters: { HOLDUNTIL: until10 } },
      rcptTo: [{ email: "later@far.test", parameters: null }],
    };
    await sent(await mail("later@far.test", "Delayed"), { envelope });
    const delayed = (await list()).find(({ rcptTo }) => rcptTo === "later@far.test")!;
    expect(delayed).toMatchObject({ standing: "delayed", name: expect.stringMatching(/^u\w+\.s\w+$/) });
    expect(await order({ names: [delayed.name, name] }, { act: "retry" })).toEqual({ changed: 1, trying: 0 });
    await status(submission.id, "d@far.test", "unknown");
    expect(sink.messages.map(({ to }) => to)).toEqual([["d@far.test"]]);
  });

  test("tries a mail now although its servers rest, since they could not be reached", async () => {
    host.dns.set("rests.test", "MX", { preference: 10, exchange: "mx.rests.test" });
    host.dns.set("mx.rests.test", "A", "127.0.0.2");
    const waits = async (to: string) => {
      await sent(await mail(to, "Rests"));
      await until("a deferral", async () =>
        (await list()).some((row) => row.rcptTo === to && row.attempts > 0 && row.standing === "waiting"),
      );
      await host.mailOut!.idle();
      return (await list()).find(({ rcptTo }) => rcptTo === to)!;
    };
    expect((await waits("one@rests.test")).smtpReply).toContain("refused");
    const awake = await startSink({ host: "127.0.0.2", port: sink.port });
    try {
      const { name } = await waits("two@rests.test");
      expect(awake.messages).toEqual([]);
      expect(await order({ names: [name] }, { act: "retry" })).toEqual({ changed: 1, trying: 0 });
      await until("the mail", () => awake.messages.length === 1);
      expect(awake.messages[0]!.to).toEqual(["two@rests.test"]);
    } finally {
      await awake.stop();
    }
  });

  test("returns mail of a domain to its sender, with the reason", async () => {
    const { submission, name } = await deferred("e@far.test", "Returned");
    await order({ domain: "far.test" }, { act: "bounce", reply: "554 5.7.1 not from here" });
    expect(await status(submission.id, "e@far.test", "no")).toMatchObject({ smtpReply: "554 5.7.1 not from here" });
    await host.mailOut!.idle();
    expect(await inbox()).toContain("Undelivered: Returned");
    expect((await host.mails(ada)).at(-1)!.raw).toContain("554 5.7.1 not from here");
    expect(sink.messages).toEqual([]);
    await host.mailLog.flush();
    const reasons = await why(admin(), name, 0);
    expect(reasons.map(({ reply }) => reply)).toEqual(["451 4.3.0 not now", "failed: 554 5.7.1 not from here"]);
    const [story] = await trace(admin(), name, 0);
    expect(story!.deliveries).toMatchObject([{ standing: "failed", smtpReply: "554 5.7.1 not from here" }]);
  });

  test("sends a mail by another host", async () => {
    const relay = await startSink();
    try {
      const { name, submission } = await deferred("f@far.test", "By another");
      await expect(order({ names: [name] }, { act: "reroute", host: "a b" })).rejects.toThrow(Refused);
      await order({ names: [name] }, { act: "reroute", host: `127.0.0.1:${relay.port}` });
      await status(submission.id, "f@far.test", "unknown");
      expect(relay.messages).toHaveLength(1);
      expect(sink.messages).toEqual([]);
    } finally {
      await relay.stop();
    }
  });

  test("finds what expired in the error queue with what was said, and tries it again", async () => {
    const { name, submission } = await deferred("g@far.test", "Expired");
    sink.program({ stage: "rcpt", address: "g@far.test", times: 1, reply: "450 4.2.0 still not" });
    host.clock.ahead += 6 * 86_400_000;
    host.mailOut!.wake();
    await status(submission.id, "g@far.test", "no");
    await host.mailOut!.idle();
    const [error] = await listErrors(admin(), 10);
    expect(error).toMatchObject({ name, error: "expired", mailFrom: "ada@here.test", recipients: ["g@far.test"] });
    expect(error!.transcript).toContain("S: 450 4.2.0 still not");
    expect(host.heard.told).toContainEqual(["mailInTrouble", { error: "expired" }]);
    expect(await retryEnded(admin(), name)).toBe(1);
    await status(submission.id, "g@far.test", "unknown");
    expect(sink.messages).toHaveLength(1);
    await expect(retryEnded(admin(), "nonsense")).rejects.toThrow(Refused);
  });

  test("finds what cannot be signed in the error queue at once, while it is tried again", async () => {
    await host.rows("UPDATE domain SET dkim_key = 'broken' WHERE name = 'here.test'");
    const submission = await sent(await mail("h@far.test", "Unsigned"));
    const [error] = await until("an error", async () => {
      const found = (await listErrors(admin(), 10)).filter(({ recipients }) => recipients[0] === "h@far.test");
      return found.length > 0 ? found : undefined;
    });
    expect(error).toMatchObject({ error: "sign" });
    expect((await client.call("EmailSubmission/get", { ids: [submission.id] })).list).toMatchObject([
      { deliveryStatus: { "h@far.test": { delivered: "queued" } } },
    ]);
  });
});

test("why a message was refused is found by the id in the reply", async () => {
  await host.listen();
  const received = "Received: from a.test by b.test; Mon, 30 Nov 2026 00:00:00 +0000\r\n".repeat(51);
  const to = { port: host.smtpPort, from: "eve@there.test", timeoutMs: 10_000, to: "ada@here.test" };
  const refusal = await deliver({ ...to, data: `${received}Subject: Loop\r\n\r\nx\r\n` }).then(
    () => "",
    (error: Error & { line?: string }) => error.line ?? error.message,
  );
  const id = /554 5\.4\.6 .* \((q\w+)\)/.exec(refusal)?.[1];
  await host.mailLog.flush();
  expect(await why(admin(), id!, 0)).toMatchObject([
    { event: "mail refused", to: ["ada@here.test"], reply: expect.stringMatching(/^554 5\.4\.6 /) },
  ]);
});

test("every accepted mail is accounted for, and one that was lost is named", async () => {
  await host.listen();
  const to = { port: host.smtpPort, from: "eve@there.test", timeoutMs: 10_000, to: "ada@here.test" };
  for (const subject of ["First", "Second"])
    await deliver({ ...to, data: `From: eve@there.test\r\nSubject: ${subject}\r\n\r\nx\r\n` });
  await host.incoming.idle();
  await host.mailLog.flush();
  host.clock.ahead += 120_000;
  const since = new Date(host.clock.now().getTime() - 3600_000);
  const found = await auditQueues(admin(), since);
  expect(found.incoming).toEqual({ accepted: 2, delivered: 2, waiting: 0, setAside: 0, accountGone: 0, missing: [] });
  expect(found.outgoing.delivered).toBeGreaterThan(3);
  expect(found.outgoing.bounced).toBe(1);
  const [{ incoming_id: lost }] = (await host.rows(
    "SELECT incoming_id FROM received WHERE user_id = $1 ORDER BY 1 DESC LIMIT 1",
    [ada],
  )) as [{ incoming_id: number }];
  await host.rows("DELETE FROM received WHERE user_id = $1 AND incoming_id = $2", [ada, lost]);
  expect((await auditQueues(admin(), since)).incoming).toMatchObject({ delivered: 1, missing: [{ account: ada }] });
});

test("a poison message is set aside after some failures, and delivered when an operator asks for it", async () => {
  const account = await host.account("poison@here.test");
  await host.rows(`ALTER TABLE received ADD CONSTRAINT poison CHECK (user_id <> ${account}) NOT VALID`);
  const to = { port: host.smtpPort, from: "eve@there.test", timeoutMs: 10_000, to: "poison@here.test" };
  await deliver({ ...to, data: "From: eve@there.test\r\nSubject: Poison\r\n\r\nx\r\n" });
  await host.incoming.idle();
  for (let sweeps = 0; sweeps < 15; sweeps++) {
    host.clock.ahead += 15 * 60_000;
    await host.incoming.sweep();
    await host.incoming.idle();
  }
  const [row] = await listIncoming(admin(), 10);
  expect(row).toMatchObject({ setAsideAt: expect.any(Date), lastError: expect.stringContaining("poison") });
  expect(await host.rows("SELECT failures FROM incoming")).toEqual([{ failures: 12 }]);
  expect(host.heard.told).toContainEqual(["mailInTrouble", { error: "set-aside" }]);
  const error = (await listErrors(admin(), 100)).find(({ error }) => error === "set-aside");
  expect(error).toMatchObject({ recipients: ["poison@here.test"] });
  await host.rows("ALTER TABLE received DROP CONSTRAINT poison");
  expect(await retryEnded(admin(), error!.name)).toBe(1);
  await host.incoming.sweep();
  await host.incoming.idle();
  expect((await host.mails(account)).map(({ subject }) => subject)).toEqual(["Poison"]);
  expect(await listIncoming(admin(), 10)).toEqual([]);
});

test("a message that ended its process again and again is set aside", async () => {
  const account = await host.account("deadly@here.test");
  const dying = host.newIncoming({ name: "dying", isGone: () => false });
  await host.rows(`ALTER TABLE received ADD CONSTRAINT deadly CHECK (user_id <> ${account}) NOT VALID`);
  const id = await dying.newId();
  const recipients = [{ address: "deadly@here.test", userId: account }];
  await dying.accept({ id, message: Buffer.from("Subject: Deadly\r\n\r\nx\r\n"), mailFrom: "", recipients });
  await dying.idle();
  await host.rows(
    "UPDATE incoming SET leased_by = 'dying', leased_until = now() + '1 day', failures = 11 WHERE id = $1",
    [id],
  );
  const next = host.newIncoming({ name: "next", isGone: (name) => name === "dying" });
  await next.sweep();
  const [row] = await listIncoming(admin(), 10);
  expect(row).toMatchObject({ id, setAsideAt: expect.any(Date), lastError: expect.stringContaining("ended") });
  await host.rows("ALTER TABLE received DROP CONSTRAINT deadly");
  await retryEnded(admin(), mailIdOf(id));
  await next.sweep();
  await next.close();
  expect((await host.mails(account)).map(({ subject }) => subject)).toEqual(["Deadly"]);
});

test("while as many messages wait as may, no more are taken", async () => {
  const full = host.newIncoming(undefined, { maxWaiting: 1 });
  expect(full.isFull()).toBe(false);
  await host.rows(`INSERT INTO incoming (id, created_at, sha256, day, size, mail_from, recipients, leased_by, leased_until)
    VALUES (1000000, now(), '\\x00', '2026-11-30', 1, '', '[]', 'test', now() + '1 day')`);
  const again = host.newIncoming(undefined, { maxWaiting: 1 });
  await until("it is full", async () => again.isFull());
  await host.rows("DELETE FROM incoming WHERE id = 1000000");
});
