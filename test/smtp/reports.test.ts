import { beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { ada, get, host, mail, sent, sink, status, useOutbox } from "./outbox.ts";

useOutbox();
beforeEach(() => sink.offer());

type Parameters = Record<string, string | null>;
const send = async (subject: string, to: string, rcpt: Parameters | null = null, from: Parameters | null = null) => {
  const envelope = {
    mailFrom: { email: "ada@here.test", parameters: from },
    rcptTo: [{ email: to, parameters: rcpt }],
  };
  return (await sent(await mail(to, subject), { envelope })).id;
};
const reports = async (subject: string) => {
  await host.mailOut!.idle();
  return (await host.mails(ada)).filter((one) => one.subject?.endsWith(`: ${subject}`));
};
const later = async (hours: number) => {
  host.clock.ahead += hours * 3600_000;
  host.mailOut!.wake();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await host.mailOut!.idle();
};
const deferred = (id: string, to: string) =>
  until("a deferral", async () => (await get(id)).deliveryStatus[to]!.smtpReply.startsWith("451"));

describe("a mail that waits", () => {
  test("for four hours is reported once, and again only when it fails", async () => {
    sink.program({ stage: "rcpt", address: "slow@far.test", reply: "451 4.3.0 not now" });
    const id = await send("Slow", "slow@far.test");
    await deferred(id, "slow@far.test");
    await later(1);
    expect(await reports("Slow")).toEqual([]);
    for (let attempts = 0; attempts < 3; attempts++) await later(5);
    const [report, ...others] = await reports("Slow");
    expect([report!.subject, others]).toEqual(["Delayed: Slow", []]);
    expect(report!.raw).toMatch(
      /Final-Recipient: rfc822; slow@far\.test\r\nAction: delayed\r\nStatus: 4\.3\.0\r\nRemote-MTA: dns; mx\.far\.test\r\nDiagnostic-Code: smtp; 451 4\.3\.0 not now\r\nWill-Retry-Until: /,
    );
    expect((await get(id)).dsnBlobIds).toHaveLength(1);
    expect((await get(id)).deliveryStatus["slow@far.test"]!.delivered).toBe("queued");
    await later(6 * 24);
    expect((await reports("Slow")).map(({ subject }) => subject)).toEqual(["Delayed: Slow", "Undelivered: Slow"]);
  });

  test.each(["FAILURE", "SUCCESS,FAILURE", "NEVER"])("is not reported with NOTIFY=%s", async (NOTIFY) => {
    const to = `quiet-${NOTIFY.length}@far.test`;
    sink.program({ stage: "rcpt", address: to, reply: "451 4.3.0 not now" });
    const subject = `Quiet ${NOTIFY.length}`;
    await deferred(await send(subject, to, { NOTIFY }), to);
    await later(5);
    expect(await reports(subject)).toEqual([]);
  });
});

describe("with NOTIFY=SUCCESS", () => {
  test("mail that a server without DSN took is reported as relayed", async () => {
    sink.offer({ extensions: [] });
    await host.mailOut!.close();
    host.startMailOut(sink.port);
    const ORCPT = "rfc822;first@far.test";
    const id = await send("Handed", "x@far.test", { NOTIFY: "SUCCESS", ORCPT }, { ENVID: "my+id", RET: "FULL" });
    await status(id, "x@far.test", "unknown");
    const [report] = await reports("Handed");
    expect(report!.raw).toMatch(/^Subject: Relayed: Handed\r$/m);
    expect(report!.raw).toMatch(
      /Original-Envelope-Id: my\+id\r\n[\s\S]*Original-Recipient: rfc822;first@far\.test\r\nFinal-Recipient: rfc822; x@far\.test\r\nAction: relayed\r\nStatus: 2\./,
    );
    expect(report!.raw).toContain("Content-Type: text/rfc822-headers");
    expect((await get(id)).dsnBlobIds).toHaveLength(1);
  });

  test("a server with DSN reports by itself", async () => {
    await host.mailOut!.close();
    host.startMailOut(sink.port);
    const id = await send("Passed on", "x@far.test", { NOTIFY: "SUCCESS" });
    await status(id, "x@far.test", "unknown");
    expect(sink.commands).toContain("RCPT TO:<x@far.test> NOTIFY=SUCCESS");
    expect(await reports("Passed on")).toEqual([]);
  });

  test("mail to another user here is reported as delivered", async () => {
    const id = await send("Here", "bob@here.test", { NOTIFY: "SUCCESS" });
    await status(id, "bob@here.test", "yes");
    const [report] = await reports("Here");
    expect(report!.raw).toMatch(/^Subject: Delivered: Here\r$/m);
    expect(report!.raw).toContain("Action: delivered\r\nStatus: 2.1.5\r\n");
  });
});

test.each([
  [{ RET: "full" }, "message/rfc822"],
  [{ RET: "HDRS" }, "text/rfc822-headers"],
  [null, "text/rfc822-headers"],
])("of a mail that failed, %j returns %s", async (parameters, type) => {
  sink.program({ stage: "rcpt", address: "gone@far.test", reply: "550 5.1.1 unknown" });
  await host.rows("DELETE FROM suppression");
  const subject = `Returned ${parameters?.RET ?? "as usual"}`;
  const id = await send(subject, "gone@far.test", null, parameters);
  await status(id, "gone@far.test", "no");
  const [report] = await reports(subject);
  expect(report!.raw).toContain(`Content-Type: ${type}\r\n`);
  expect(report!.raw.includes(`Subject: ${subject}\r\n`)).toBe(true);
});
