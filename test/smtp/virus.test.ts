import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  deleteFromQuarantine,
  headerInQuarantine,
  quarantined,
  releaseFromQuarantine,
} from "../../src/admin/quarantine.ts";
import { encodeId, idPrefix } from "../../src/base/ids.ts";
import { methods } from "../../src/jmap/methods.ts";
import { Clamd, ScannerAway } from "../../src/mail/scan/clamd.ts";
import { enqueue } from "../../src/mail/submit/enqueue.ts";
import { encodeBlobId } from "../../src/store/blobs/blob-id.ts";
import { attemptsOf } from "../../src/store/queues/attempts.ts";
import { Sweeper } from "../../src/store/upkeep/sweeps.ts";
import { testAdmin } from "../support/admin.ts";
import { type ClamdServer, eicar, eicarName, startClamd, whyNoClamd } from "../support/clamd.ts";
import { TestClient, testLogin, testServices } from "../support/jmap.ts";
import { until } from "../support/ports.ts";
import { testScanners } from "../support/scanners.ts";
import { deliver } from "../support/smtp-client.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { type MailHost, startMailHost } from "./host.ts";

const base64 = Buffer.from(eicar).toString("base64");
const infected = (subject: string) =>
  `From: eve@far.test\r\nTo: ann@here.test\r\nSubject: ${subject}\r\nContent-Type: application/octet-stream\r\n` +
  `Content-Transfer-Encoding: base64\r\n\r\n${base64}\r\n`;
const clean = (subject: string) => `From: eve@far.test\r\nTo: ann@here.test\r\nSubject: ${subject}\r\n\r\nHello.\r\n`;

describe.skipIf(whyNoClamd !== undefined)("with a real ClamAV", () => {
  let clamd: ClamdServer;
  let host: MailHost;
  let sink: SmtpSink;
  let ann: number;

  beforeAll(async () => {
    clamd = await startClamd();
    sink = await startSink();
    host = await startMailHost({ scanners: testScanners({ clamd: new Clamd(clamd.place) }) });
    await host.listen();
    host.startMailOut(sink.port);
    ann = await host.account("ann@here.test");
  });
  afterAll(async () => {
    await host?.stop();
    await sink?.stop();
    clamd?.stop();
  });

  const send = async (data: string, at = host) => {
    const to = { port: at.smtpPort, from: "eve@far.test", to: "ann@here.test" };
    await deliver({ ...to, data });
    await at.incoming.idle();
  };
  const subjects = async () => (await host.mails(ann)).map(({ subject }) => subject);
  const list = () => quarantined(host, 10);

  test("a clean mail is delivered, an infected one quarantined, where its recipient can't read it", async () => {
    await send(clean("clean"));
    await send(infected("infected"));
    expect(await subjects()).toEqual(["clean"]);
    const [one] = await list();
    expect(one).toMatchObject({
      virus: eicarName,
      mailFrom: "eve@far.test",
      recipients: [{ address: "ann@here.test" }],
    });
    expect(await headerInQuarantine(host.blobs, one!)).toContain("Subject: infected");
    const reader = host.store.reader(ann, { userId: ann });
    expect(await host.blobs.read(reader, encodeBlobId(one!.sha256))).toBeUndefined();
  });

  test("released, it is delivered without another scan; deleted, it is gone; both are in the audit", async () => {
    const admin = testAdmin(host.store);
    await send(infected("deleted"));
    const [second, first] = await list();
    const nameOf = ({ id }: { id: number }) => encodeId(idPrefix.incoming, id);
    await releaseFromQuarantine(admin, nameOf(first!));
    await host.incoming.sweep();
    expect(await subjects()).toEqual(["clean", "infected"]);
    await deleteFromQuarantine(admin, nameOf(second!));
    expect(await list()).toEqual([]);
    const acts = await host.rows("SELECT what ->> 'act' AS act FROM audit WHERE user_id = 0 ORDER BY seq DESC LIMIT 2");
    expect(acts).toEqual([{ act: "quarantine.delete" }, { act: "quarantine.release" }]);
    await expect(deleteFromQuarantine(admin, "q99999999")).rejects.toThrow("notQuarantined");
  });

  test("after 30 days it goes by itself", async () => {
    await send(infected("old"));
    const sweeper = new Sweeper({ store: host.store, objects: host.blobs.objects, log: host.log });
    await sweeper.run();
    expect(await list()).toHaveLength(1);
    host.clock.ahead += 31 * 86_400_000;
    await sweeper.run();
    expect(await list()).toEqual([]);
    host.clock.ahead = 0;
  });

  test("an infected mail is refused at /set, before anything is queued", async () => {
    const { blobs, ingest, learner, scanners } = host;
    const services = testServices(host.store, { blobs, ingest, learner, scanners });
    const client = new TestClient(methods, services, testLogin([ann]));
    const made = await client.call("Identity/set", { create: { i: { name: "", email: "ann@here.test" } } });
    const identityId = (made.created as Record<string, { id: string }>).i!.id;
    const { list: boxes } = (await client.call("Mailbox/get", {})) as { list: { id: string; role: string }[] };
    const draft = (body: string) => ({
      mailboxIds: { [boxes.find(({ role }) => role === "drafts")!.id]: true },
      from: [{ email: "ann@here.test" }],
      to: [{ email: "bob@far.test" }],
      bodyStructure: { type: "text/plain", partId: "1" },
      bodyValues: { 1: { value: body } },
    });
    const { created } = (await client.call("Email/set", { create: { a: draft(eicar), b: draft("Hello.") } })) as {
      created: Record<string, { id: string }>;
    };
    const answer = await client.call("EmailSubmission/set", {
      create: { a: { identityId, emailId: created.a!.id }, b: { identityId, emailId: created.b!.id } },
    });
    expect(answer.notCreated).toMatchObject({
      a: { type: "invalidEmail", description: `it has the virus ${eicarName}` },
    });
    expect(Object.keys(answer.created as object)).toEqual(["b"]);
  });

  /** Queues a mail as if it had been scanned. */
  const submit = async (text: string, to = "bob@far.test") => {
    const data = `From: ann@here.test\r\nTo: ${to}\r\nSubject: ${text.slice(0, 20)}\r\nMessage-ID: <${text.length}@here.test>\r\n\r\n${text}\r\n`;
    const blob = await host.blobs.put(Buffer.from(data));
    const address = (email: string) => ({ email, parameters: null });
    const envelope = { mailFrom: address("ann@here.test"), rcptTo: [address(to)] };
    const id = await host.store.write(ann, "server", async (tx) => {
      const [submission] = await tx.newIds(1);
      const more = { identityId: 1, emailId: 1, threadId: 1, sendAt: tx.now };
      await enqueue(tx, [{ id: submission!, envelope, blob, ...more }]);
      return submission!;
    });
    host.mailOut!.wake();
    return id;
  };
  const deliveryOf = async (id: number) =>
    (await host.rows("SELECT * FROM delivery WHERE user_id = $1 AND submission_id = $2", [ann, id]))[0]!;
  /** Once it is not the first one. */
  const replyOf = (id: number) =>
    until("a reply", async () => {
      const { smtp_reply: reply, leased_by } = await deliveryOf(id);
      return (reply as string).startsWith("250 2.1.5 queued") || leased_by !== null ? undefined : (reply as string);
    });
  const waiting = "451 4.7.1 it waits for the virus scanner";

  test("what ClamAV finds only when it is sent fails then", async () => {
    const id = await submit(eicar);
    expect(await replyOf(id)).toBe(`554 5.7.1 not sent: it has the virus ${eicarName}`);
    expect(sink.messages).toEqual([]);
  });

  test("while ClamAV is away, mail waits without attempts; it goes when ClamAV is back, with all its time and pauses", async () => {
    host.dns.set("far.test", "MX", { preference: 10, exchange: "mx.far.test" });
    host.dns.set("mx.far.test", "A", "127.0.0.1");
    clamd.kill();
    const id = await submit("It waits.");
    const due = (await deliveryOf(id)).next_attempt_at;
    expect(await replyOf(id)).toBe(waiting);
    // For longer than mail is tried.
    host.clock.ahead += 6 * 86_400_000;
    host.mailOut!.wake();
    await host.mailOut!.idle();
    expect(await deliveryOf(id)).toMatchObject({ state: "queued", attempts: 0, next_attempt_at: due });
    expect(sink.messages).toEqual([]);
    const stop = sink.program({ stage: "rcpt", address: "bob@far.test", reply: "451 4.2.1 later" });
    await clamd.start();
    const tried = (count: number, state: string) =>
      until(`attempt ${count}`, async () => {
        const row = await deliveryOf(id);
        return row.attempts === count && row.state === state && row.leased_by === null ? row : undefined;
      });
    const first = await tried(1, "queued");
    expect(first.smtp_reply).toBe("451 4.2.1 later");
    const pauseMs = (first.next_attempt_at as Date).getTime() - host.clock.now().getTime();
    expect(pauseMs).toBeGreaterThan(60_000);
    expect(pauseMs).toBeLessThan(150_000);
    // What it waited is not of the five days in which it is tried.
    for (const [days, count, state] of [
      [4, 2, "queued"],
      [2, 3, "failed"],
    ] as const) {
      host.clock.ahead += days * 86_400_000;
      host.mailOut!.wake();
      await tried(count, state);
    }
    const tries = await attemptsOf(host.store.reader(ann, "server"), [id]);
    expect(tries.map(({ attempt, reply }) => [attempt, reply])).toEqual([
      [1, waiting],
      ...[1, 2, 3].map((attempt) => [attempt, "451 4.2.1 later"]),
    ]);
    expect(tries[0]!.milliseconds).toBeGreaterThan(6 * 86_400_000);
    stop();
    host.clock.ahead = 0;
  }, 40_000);

  test("a mail that had come to its recipient before ClamAV went away, unnoticed, does not come again", async () => {
    const id = await submit("Once and no more.", "ann@here.test");
    await until("it is there", async () => (await deliveryOf(id)).state === "sent" || undefined);
    await host.incoming.idle();
    // What a process leaves that dies before it has recorded the outcome.
    await host.rows(
      `UPDATE delivery SET state = 'queued', delivered = 'queued', smtp_reply = '250 2.1.5 queued', leased_by = NULL
       WHERE user_id = $1 AND submission_id = $2`,
      [ann, id],
    );
    clamd.kill();
    await host.mailOut!.sweep();
    expect(await replyOf(id)).toBe(waiting);
    await clamd.start();
    await until("it is delivered", async () => (await deliveryOf(id)).state === "sent" || undefined);
    await host.incoming.idle();
    expect((await subjects()).filter((subject) => subject === "Once and no more.")).toHaveLength(1);
  }, 40_000);

  test("while ClamAV is away, mail is put off, or held until it was scanned: never delivered unscanned", async () => {
    const away = new Clamd({ host: "127.0.0.1", port: 1 });
    await expect(away.find(Buffer.from("x"))).rejects.toThrow(ScannerAway);
    clamd.kill();
    await expect(send(clean("put off"))).rejects.toThrow(/451 4\.7\.1/);
    const holding = await startMailHost({
      scanners: testScanners({ clamd: new Clamd(clamd.place), whenAway: "hold" }),
    });
    try {
      await holding.listen();
      const account = await holding.account("ann@here.test");
      await send(clean("held"), holding);
      await send(infected("held too"), holding);
      expect(await holding.mails(account)).toEqual([]);
      await clamd.start();
      holding.clock.ahead += 3600_000;
      await holding.incoming.sweep();
      expect((await holding.mails(account)).map(({ subject }) => subject)).toEqual(["held"]);
      expect(await quarantined(holding, 10)).toMatchObject([{ virus: eicarName }]);
    } finally {
      await holding.stop();
    }
  });
});
