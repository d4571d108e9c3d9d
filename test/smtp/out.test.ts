import { authenticate } from "mailauth";
import { describe, expect, test } from "vitest";
import { dnsRecords } from "../../src/admin/dns-records.ts";
import { keysOf } from "../../src/admin/domains.ts";
import { CommitError } from "../../src/store/core/errors.ts";
import { Store } from "../../src/store/core/store.ts";
import { findDomain } from "../../src/store/directory/directory.ts";
import { isOnCitus } from "../support/citus.ts";
import { until } from "../support/ports.ts";
import {
  ada,
  bob,
  client,
  draft,
  get,
  host,
  identityId,
  mail,
  type Submission,
  sent,
  sink,
  status,
  submit,
  useOutbox,
} from "./outbox.ts";

useOutbox();

describe("a submission", () => {
  test("leaves signed, without Bcc, to every recipient of the envelope", async () => {
    const domain = await findDomain(host.database, "here.test");
    for (const record of dnsRecords(domain!, "mx.posthorn.test", await keysOf(host, domain!.name))) {
      if (record.type === "TXT") host.dns.set(record.name.slice(0, -1), "TXT", record.value.replace(/"( ")?/g, ""));
    }
    const text = "..dots\r\n.\r\nend\r\n  ";
    const written = await mail("Zoë <zoe@far.test>", "Grüße", { cc: "cy@other.test", text });
    const raw = Buffer.concat([Buffer.from("Bcc: secret@far.test\r\n"), written]);
    const { id, envelope, undoStatus, deliveryStatus } = await sent(raw);
    expect(undoStatus).toBe("pending");
    expect(envelope.mailFrom.email).toBe("ada@here.test");
    expect(envelope.rcptTo.map(({ email }) => email).sort()).toEqual([
      "cy@other.test",
      "secret@far.test",
      "zoe@far.test",
    ]);
    expect(Object.values(deliveryStatus).map(({ delivered }) => delivered)).toEqual(["queued", "queued", "queued"]);
    const stored = await sink.waitFor(2);
    expect(stored.map(({ to }) => [...to].sort()).sort()).toEqual([
      ["cy@other.test"],
      ["secret@far.test", "zoe@far.test"],
    ]);
    for (const { raw: bytes, tls, from } of stored) {
      expect(tls).toBe(true);
      expect(from).toBe("ada@here.test");
      expect(bytes.toString()).not.toMatch(/secret|^bcc:/im);
      const verdict = await authenticate(bytes, {
        ip: "127.0.0.1",
        helo: "mx.posthorn.test",
        sender: from,
        mta: "mx.far.test",
        resolver: (name, type) => host.dns.resolver().resolve(name, type) as Promise<string[]>,
        strict: true,
      });
      expect(verdict.dkim.results.map((result) => result.status.result)).toEqual(["pass", "pass"]);
      expect(bytes.toString().replace(/\r\n\s+/g, "")).toMatch(/;h=from:[\w:-]+:from;/);
    }
    expect(await status(id, "zoe@far.test", "unknown")).toMatchObject({ smtpReply: expect.stringMatching(/^250 /) });
    expect(await get(id)).toMatchObject({ undoStatus: "final" });
    await until("no hint left", async () => (await host.rows("SELECT * FROM due")).length === 0);
  });

  test("to another user here carries no results in this server's name", async () => {
    const claim = "mx.posthorn.test; dmarc=pass header.from=bank.test";
    const raw = await mail("bob@here.test", "Own results", { headers: { "Authentication-Results": claim } } as never);
    await sent(raw);
    const found = await until("mail to Bob", async () =>
      (await host.mails(bob)).find((one) => one.subject === "Own results"),
    );
    expect(raw.toString()).toContain(claim);
    expect(found.raw).not.toMatch(/^Authentication-Results:/im);
  });

  test("to another user here is delivered without SMTP, once", async () => {
    const { id } = await sent(await mail("Bob <bob@here.test>, nobody@here.test", "Hello Bob"));
    expect(await status(id, "bob@here.test", "yes")).toMatchObject({ smtpReply: "250 2.1.5 delivered" });
    expect(await status(id, "nobody@here.test", "no")).toMatchObject({ smtpReply: "550 5.1.1 no such address here" });
    const found = await until("mail to Bob", async () =>
      (await host.mails(bob)).find((one) => one.subject === "Hello Bob"),
    );
    expect(found.raw).toMatch(
      /^Return-Path: <ada@here\.test>\r\nReceived: by mx\.posthorn\.test\r\n \(rp-[\w-]+\) id q\w+;\r\n .+\r\n/,
    );
    expect(sink.attempts).toEqual([]);
  });

  test("with onSuccess arguments changes the emails in the same call", async () => {
    const [one, two] = [await draft(await mail("a@far.test", "Kept")), await draft(await mail("b@far.test", "Gone"))];
    const { responses } = await client.request([
      [
        "EmailSubmission/set",
        {
          accountId: client.account,
          create: {
            k: { identityId, emailId: one },
            g: { identityId, emailId: two },
            bad: { identityId, emailId: "e1" },
          },
          onSuccessUpdateEmail: {
            "#k": { "keywords/$draft": null, "keywords/$answered": true },
            "#bad": { keywords: {} },
          },
          onSuccessDestroyEmail: ["#g"],
        },
        "c",
      ],
    ]);
    expect(responses.map(([name]) => name)).toEqual(["EmailSubmission/set", "Email/set"]);
    expect(responses[0]![1].notCreated).toMatchObject({ bad: { type: "invalidProperties", properties: ["emailId"] } });
    expect(responses[1]![1]).toMatchObject({ updated: { [one]: null }, destroyed: [two] });
    const { list } = await client.call("Email/get", { ids: [one], properties: ["keywords"] });
    expect(list).toMatchObject([{ keywords: { $answered: true } }]);
    expect((await sink.waitFor(2)).map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw.toString())?.[1]).sort()).toEqual([
      "Gone",
      "Kept",
    ]);
  });

  test("may be delayed, and canceled until the first attempt", async () => {
    const emailId = await draft(await mail("late@far.test", "Later"));
    const later = {
      mailFrom: { email: "ada@here.test", parameters: { HOLDFOR: "600" } },
      rcptTo: [{ email: "late@far.test" }],
    };
    const { created } = await submit(emailId, { envelope: later });
    const { id, sendAt } = (created as Record<string, Submission>).s!;
    expect(Date.parse(sendAt) - host.clock.now().getTime()).toBeGreaterThan(590_000);
    await host.mailOut!.idle();
    expect(sink.attempts).toEqual([]);
    const { updated } = await client.call("EmailSubmission/set", { update: { [id]: { undoStatus: "canceled" } } });
    expect(updated).toEqual({ [id]: null });
    expect(await get(id)).toMatchObject({ undoStatus: "canceled" });
    const second = (await submit(emailId, { envelope: later })).created as Record<string, Submission>;
    host.clock.ahead += 601_000;
    host.mailOut!.wake();
    await status(second.s!.id, "late@far.test", "unknown");
    expect(sink.messages).toHaveLength(1);
    const { notUpdated } = await client.call("EmailSubmission/set", {
      update: { [second.s!.id]: { undoStatus: "canceled" } },
    });
    expect(notUpdated).toMatchObject({ [second.s!.id]: { type: "cannotUnsend" } });
  });

  test("that is destroyed goes out all the same", async () => {
    const hold = {
      mailFrom: { email: "ada@here.test", parameters: { HOLDFOR: "60" } },
      rcptTo: [{ email: "d@far.test" }],
    };
    const { id } = await sent(await mail("d@far.test", "Destroyed"), { envelope: hold });
    const { destroyed } = await client.call("EmailSubmission/set", { destroy: [id] });
    expect(destroyed).toEqual([id]);
    expect((await client.call("EmailSubmission/get", { ids: [id] })).notFound).toEqual([id]);
    host.clock.ahead += 61_000;
    host.mailOut!.wake();
    await sink.waitFor(1);
    await until("no trace", async () => (await host.rows("SELECT 1 FROM submission WHERE destroyed")).length === 0);
  });

  test("can be found", async () => {
    const all = await client.call("EmailSubmission/query", { sort: [{ property: "sentAt", isAscending: false }] });
    expect((all.ids as string[]).length).toBeGreaterThan(4);
    const canceled = await client.call("EmailSubmission/query", {
      filter: { undoStatus: "canceled" },
      calculateTotal: true,
    });
    expect(canceled).toMatchObject({ total: 1 });
    const none = await client.call("EmailSubmission/query", { filter: { emailIds: ["e1"] } });
    expect(none.ids).toEqual([]);
  });
});

describe("the other server", () => {
  test("that replies 451 is tried again later, and its reply is shown", async () => {
    sink.program({ stage: "rcpt", address: "busy@far.test", times: 1, reply: "451 4.3.0 come back\r\n".trim() });
    const { id } = await sent(await mail("busy@far.test, idle@far.test", "Again"));
    await status(id, "idle@far.test", "unknown");
    const busy = async () => (await get(id)).deliveryStatus["busy@far.test"];
    await until("the reply", async () => (await busy())?.smtpReply === "451 4.3.0 come back");
    expect(await busy()).toMatchObject({ delivered: "queued" });
    host.clock.ahead += 3 * 60_000;
    host.mailOut!.wake();
    expect(await status(id, "busy@far.test", "unknown")).toMatchObject({ smtpReply: expect.stringMatching(/^250/) });
    expect(sink.messages.map(({ to }) => to)).toEqual([["idle@far.test"], ["busy@far.test"]]);
  });

  test("is reported in an event for each recipient at each attempt", async () => {
    const { told } = host.heard;
    told.length = 0;
    sink.program({ stage: "rcpt", address: "slow@far.test", times: 1, reply: "451 4.3.0 later" });
    sink.program({ stage: "rcpt", address: "lost@far.test", reply: "550 5.1.1 unknown" });
    const { id } = await sent(await mail("slow@far.test, lost@far.test, bob@here.test", "Told"));
    await status(id, "bob@here.test", "yes");
    await status(id, "lost@far.test", "no");
    host.clock.ahead += 3 * 60_000;
    host.mailOut!.wake();
    await status(id, "slow@far.test", "unknown");
    await host.mailOut!.idle();
    const attempts = told.flatMap(([name, event]) => (name === "attemptEnded" ? [event] : []));
    expect(attempts.map(({ result }) => result).sort()).toEqual(["deferred", "failed", "sent", "sent"]);
    expect(attempts.find(({ result }) => result === "failed")!.smtpReply).toBe("550 5.1.1 unknown");
    expect(told.filter(([name]) => name === "mailTaken")).toHaveLength(1);
  });

  test("that replies 550 causes a report in the inbox, in the thread of the mail", async () => {
    sink.program({ stage: "rcpt", address: "gone@far.test", reply: "550 5.1.1 never heard of" });
    const { id } = await sent(await mail("gone@far.test, here@far.test", "Bounce me"));
    expect(await status(id, "gone@far.test", "no")).toMatchObject({ smtpReply: "550 5.1.1 never heard of" });
    const { dsnBlobIds, threadId } = await get(id);
    expect(dsnBlobIds).toHaveLength(1);
    const report = (await host.mails(ada)).find((one) => one.subject === "Undelivered: Bounce me")!;
    expect(report.raw).toMatch(/^Return-Path: <>\r\nFrom: .*MAILER-DAEMON@mx\.posthorn\.test>/);
    expect(report.raw).toContain("Auto-Submitted: auto-replied");
    expect(report.raw).toMatch(
      /Final-Recipient: rfc822; gone@far\.test\r\nAction: failed\r\nStatus: 5\.1\.1\r\nRemote-MTA: dns; mx\.far\.test\r\nDiagnostic-Code: smtp; 550 5\.1\.1 never heard of/,
    );
    expect(report.raw).not.toContain("here@far.test\r\nAction");
    const { list } = await client
      .call("Email/query", { filter: { inMailbox: await inbox() } })
      .then(async ({ ids }) => client.call("Email/get", { ids, properties: ["blobId", "subject", "threadId"] }));
    const subject = "Undelivered: Bounce me";
    expect(list).toContainEqual(expect.objectContaining({ blobId: dsnBlobIds[0], subject, threadId }));
  });

  const inbox = async () => {
    const { list } = await client.call("Mailbox/get", { ids: null });
    return (list as { id: string; role: string }[]).find((mailbox) => mailbox.role === "inbox")!.id;
  };

  test("whose reply the database cannot hold does not get the mail twice", async () => {
    sink.program({ stage: "data", address: "odd@far.test", reply: "250 2.0.0 taken\0as 1\r2", isRaw: true });
    const { id } = await sent(await mail("odd@far.test", "Odd"));
    expect(await status(id, "odd@far.test", "unknown")).toMatchObject({ smtpReply: "250 2.0.0 taken as 1 2" });
    expect(sink.messages).toHaveLength(1);
  });

  test("that puts several recipients off gets the mail for all of them in one transaction later", async () => {
    const both = ["one@far.test", "two@far.test"];
    const patient = both.map((address) => sink.program({ stage: "rcpt", address, reply: "451 4.2.1 later" }));
    const { id } = await sent(await mail(both.join(", "), "Together"));
    const rows = await until("both put off", async () => {
      const found = await host.rows(
        "SELECT next_attempt_at FROM delivery WHERE rcpt_to IN ($1, $2) AND attempts = 1 AND leased_by IS NULL",
        both,
      );
      return found.length === 2 ? found : undefined;
    });
    expect(rows[0]!.next_attempt_at).toEqual(rows[1]!.next_attempt_at);
    for (const stop of patient) stop();
    host.clock.ahead += 3 * 60_000;
    host.mailOut!.wake();
    for (const address of both) await status(id, address, "unknown");
    expect(sink.messages.map(({ to }) => [...to].sort())).toEqual([both]);
  });

  test("that cannot be reached is tried for five days", async () => {
    host.dns.set("dead.test", "MX", { preference: 5, exchange: "mx.dead.test" });
    host.dns.fail("mx.dead.test", "SERVFAIL");
    const { id } = await sent(await mail("x@dead.test", "Patience"));
    await until("a reply", async () =>
      (await get(id)).deliveryStatus["x@dead.test"]!.smtpReply.startsWith("451 4.4.3"),
    );
    await host.mailOut!.idle();
    host.clock.ahead += 5 * 86_400_000;
    host.mailOut!.wake();
    expect(await status(id, "x@dead.test", "no")).toMatchObject({ smtpReply: "451 4.4.3 DNS did not answer" });
  });

  test("of a domain with a null MX is not contacted", async () => {
    host.dns.set("null.test", "MX", { preference: 0, exchange: "." });
    const { id } = await sent(await mail("x@null.test, y@unknown.test", "Null MX"));
    expect(await status(id, "x@null.test", "no")).toMatchObject({ smtpReply: expect.stringMatching(/^556 5\.1\.10 /) });
    expect(await status(id, "y@unknown.test", "no")).toMatchObject({
      smtpReply: expect.stringMatching(/^550 5\.1\.2 /),
    });
  });

  test("is the next one where the first is down", async () => {
    host.dns.set("two.test", "MX", [
      { preference: 1, exchange: "down.two.test" },
      { preference: 2, exchange: "mx.far.test" },
    ]);
    host.dns.set("down.two.test", "A", "127.0.0.9");
    const { id } = await sent(await mail("x@two.test", "Second"));
    await status(id, "x@two.test", "unknown");
  });

  test("at a private address is not contacted unless that is allowed", async () => {
    const { findTargets } = await import("../../src/smtp/outbound/route.ts");
    const options = {
      resolver: host.dns.resolver(),
      hostname: "mx.posthorn.test",
      mxPort: 25,
      allowPrivateTargets: false,
    };
    await expect(findTargets("far.test", options)).rejects.toThrow(/^550 5\.4\.4/);
  });
});

describe("after a crash", () => {
  test("lost hints are restored and leases of dead processes are taken over", async () => {
    const hold = {
      mailFrom: { email: "ada@here.test", parameters: { HOLDFOR: "30" } },
      rcptTo: [{ email: "c@far.test" }],
    };
    const { id } = await sent(await mail("c@far.test", "Crashed"), { envelope: hold });
    await until("a hint", async () => (await host.rows("SELECT 1 FROM due")).length > 0);
    await host.rows("DELETE FROM due");
    // A process of this machine that has ended.
    const { hostname } = await import("node:os");
    await host.rows(
      "UPDATE delivery SET leased_by = $1, leased_until = now() + '1 day', attempts = 1 WHERE rcpt_to = 'c@far.test'",
      [`${hostname()} 999999999 1`],
    );
    host.clock.ahead += 31_000;
    await host.mailOut!.sweep();
    await status(id, "c@far.test", "unknown");
    expect(sink.messages).toHaveLength(1);
  });
});

/** A submission that a process of this machine sent and noted before it died. */
async function noted(address: string): Promise<string> {
  const hold = {
    mailFrom: { email: "ada@here.test", parameters: { HOLDFOR: "30" } },
    rcptTo: [{ email: address }],
  };
  const { id } = await sent(await mail(address, "Noted"), { envelope: hold });
  const { hostname } = await import("node:os");
  await host.rows(
    `UPDATE delivery SET state = 'sent', delivered = 'unknown', smtp_reply = '250 ok', attempts = 1,
       leased_by = $1, leased_until = now() + '1 day' WHERE rcpt_to = $2`,
    [`${hostname()} 999999999 1`, address],
  );
  return id;
}

test("mail that a dead process sent and noted is not sent again, and clients see its state change", async () => {
  const id = await noted("n@far.test");
  const { list, state } = await client.call("EmailSubmission/get", { ids: [id] });
  expect(list).toMatchObject([{ undoStatus: "pending" }]);
  host.clock.ahead += 31_000;
  await host.mailOut!.sweep();
  await host.mailOut!.idle();
  expect(await client.call("EmailSubmission/changes", { sinceState: state })).toMatchObject({ updated: [id] });
  expect(await get(id)).toMatchObject({ undoStatus: "final" });
  expect(sink.attempts).toEqual([]);
});

test("an answer that was recorded by a commit with an unknown outcome is not taken for a lost lease", async () => {
  const { store } = host;
  let commits = 0;
  const write: typeof store.write = async (...args) => {
    const result = await Store.prototype.write.apply(store, args as Parameters<typeof store.write>);
    if (args[1] === "server" && ++commits === 1) throw new CommitError("lost");
    return result as never;
  };
  const emailId = await draft(await mail("u@far.test", "Unknown"));
  host.warnings.length = 0;
  host.heard.told.length = 0;
  store.write = write;
  try {
    const { created } = await submit(emailId);
    await status((created as { s: Submission }).s.id, "u@far.test", "unknown");
    await host.mailOut!.idle();
  } finally {
    store.write = Store.prototype.write;
  }
  expect(commits).toBe(2);
  expect(host.warnings).toEqual([{ reason: "commit outcome unknown" }]);
  expect(host.heard.told.filter(([name]) => name === "attemptEnded")).toHaveLength(1);
});

// Citus has no triggers, by which it can't be written.
test.skipIf(isOnCitus)("a submission that cannot be written does not keep the sweep from the others", async () => {
  const ids = [await noted("n1@far.test"), await noted("n2@far.test"), await noted("n3@far.test")];
  const pending = async () => (await Promise.all(ids.map(get))).filter(({ undoStatus }) => undoStatus === "pending");
  await host.rows("CREATE SEQUENCE spoilt");
  await host.rows(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF nextval(''spoilt'') = 1 THEN RAISE ''spoilt''; END IF; RETURN NEW; END'`);
  await host.rows("CREATE TRIGGER spoil BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION spoil()");
  await host.mailOut!.sweep();
  expect(await pending()).toHaveLength(1);
  await host.mailOut!.sweep();
  expect(await pending()).toEqual([]);
  await host.rows("DROP TRIGGER spoil ON delivery");
});
