import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { forwardAddress } from "../../src/admin/addresses.ts";
import { readAudit } from "../../src/admin/audit.ts";
import { listQueued } from "../../src/admin/queue-list.ts";
import { holdSender, liftSender, listStandings, setSendingLimits, showStanding } from "../../src/admin/standing.ts";
import { hashPassword } from "../../src/auth/secrets.ts";
import { decodeId } from "../../src/base/ids.ts";
import type { Scanners } from "../../src/mail/scan/scanners.ts";
import { HoldNotices } from "../../src/mail/standing/notices.ts";
import { setPassword } from "../../src/store/directory/logins.ts";
import {
  type LeasedDelivery,
  type LeasedSubmission,
  putBackUnscanned,
  renewLease,
} from "../../src/store/queues/deliveries.ts";
import { hintQueued } from "../../src/store/queues/due.ts";
import { Sweeper } from "../../src/store/upkeep/sweeps.ts";
import { dsn } from "../feedback/shapes.ts";
import { testAdmin } from "../support/admin.ts";
import type { TestClient } from "../support/jmap.ts";
import { until } from "../support/ports.ts";
import { deliver, SmtpConnection } from "../support/smtp-client.ts";
import { clientOf, draft, host, type Json, type Submission, sink, useOutbox } from "./outbox.ts";
import { listenForUsers, type SubmissionDoors } from "./submission-host.ts";

useOutbox({ signsReturnPath: true });
let doors: SubmissionDoors;
let notices: HoldNotices;

beforeAll(async () => {
  await host.listen();
  doors = await listenForUsers(host, { hasSendingLimits: true });
  notices = new HoldNotices({ ...host, random: randomBytes, events: host.heard.events, hostname: "mx.posthorn.test" });
  host.store.onHeld = (held) => notices.noticed(held);
});
// In the morning of the next day, so that no hour ends within a test.
beforeEach(() => {
  const now = host.clock.now().getTime();
  host.clock.ahead += Math.ceil(now / 86_400_000) * 86_400_000 + 8.1 * 3_600_000 - now;
});
afterAll(() => doors.stop());

const admin = () => testAdmin(host.store);
let senders = 0;

/** A user of their own for each test. */
class Sender {
  readonly address: string;
  readonly account: number;
  readonly client: TestClient;
  readonly #email: string;
  readonly #identity: string;
  #calls = 0;

  private constructor(address: string, account: number, client: TestClient, email: string, identity: string) {
    this.address = address;
    this.account = account;
    this.client = client;
    this.#email = email;
    this.#identity = identity;
  }

  static async make(change: (client: TestClient) => TestClient = (client) => client): Promise<Sender> {
    const address = `sender${++senders}@here.test`;
    const account = await host.account(address);
    const client = change(clientOf(account));
    Object.assign(client.services, { hasSendingLimits: true });
    const email = await draft(
      Buffer.from(`From: <${address}>\r\nTo: x@far.test\r\nSubject: Hi\r\n\r\nHello.\r\n`),
      client,
    );
    const { list } = await client.call("Identity/get", { ids: null });
    return new Sender(address, account, client, email, (list as { id: string }[])[0]!.id);
  }

  /** Sends to so many recipients, a mail for each number; resolves with the answer. */
  async send(...counts: number[]): Promise<{ created: Record<string, Submission> | null; notCreated: Json | null }> {
    const create = Object.fromEntries(counts.map((count, at) => [`c${at}`, this.#record(count, at)]));
    this.#calls++;
    return (await this.client.call("EmailSubmission/set", { create })) as never;
  }

  #record(count: number, at: number) {
    const rcptTo = Array.from({ length: count }, (_, nth) => ({ email: `r${nth}.${at}.${this.#calls}@far.test` }));
    const envelope = { mailFrom: { email: this.address }, rcptTo };
    return { identityId: this.#identity, emailId: this.#email, envelope };
  }

  async get(id: string): Promise<Submission> {
    return ((await this.client.call("EmailSubmission/get", { ids: [id] })).list as Submission[])[0]!;
  }

  async inbox(): Promise<string[]> {
    await notices.idle();
    return (await host.mails(this.account)).map(({ raw }) => raw).filter((raw) => raw.includes("Your mail is held"));
  }

  async counts(): Promise<Json> {
    return (
      await host.rows("SELECT * FROM sent_hour WHERE user_id = $1 ORDER BY hour DESC LIMIT 1", [this.account])
    )[0]!;
  }

  /** What came back, as if it had. */
  async returned(counts: { recipients?: number; hard?: number; complaints?: number }): Promise<void> {
    const { recipients = 0, hard = 0, complaints = 0 } = counts;
    await host.rows(
      `UPDATE sent_hour SET recipients = recipients + $2, hard = hard + $3, complaints = complaints + $4 WHERE user_id = $1`,
      [this.account, recipients, hard, complaints],
    );
  }

  held() {
    return listQueued(admin(), { sender: this.address }, "held", 1_000).then(({ rows }) => rows);
  }
}

const hold = (sender: Sender) => showStanding(admin(), sender.address, true).then((shown) => shown.hold);
const errors = (answer: { notCreated: Json | null }) => answer.notCreated as Record<string, Json> | null;

describe("limits", () => {
  test("a new account may send to 200 recipients an hour and 500 a day; what does not fit is refused by itself", async () => {
    const sender = await Sender.make();
    const first = await sender.send(150, 60, 50, 201);
    expect(Object.keys(first.created!)).toEqual(["c0", "c2"]);
    expect(errors(first)).toEqual({
      c1: { type: "rateLimit", description: expect.stringContaining("200 recipients an hour") },
      c3: { type: "tooManyRecipients", maxRecipients: 200, description: expect.any(String) },
    });
    expect(await sender.counts()).toMatchObject({ messages: 2, recipients: 200 });
    expect(errors(await sender.send(1))).toMatchObject({ c0: { type: "rateLimit" } });
    host.clock.ahead += 3_600_000;
    expect(errors(await sender.send(190))).toBeNull();
    host.clock.ahead += 3_600_000;
    const third = await sender.send(110, 1);
    expect(errors(third)).toMatchObject({ c1: { description: expect.stringContaining("500 recipients in 24 hours") } });
    host.clock.ahead += 24 * 3_600_000;
    expect(errors(await sender.send(200))).toBeNull();
    expect(await sender.counts()).toMatchObject({ day_recipients: 0, busiest: 200, good_days: 1 });
  });

  test("they hold at the ports for mail programs too, with a temporary reply", async () => {
    const sender = await Sender.make();
    await setPassword(host.store, sender.address, await hashPassword("a pass"));
    expect(errors(await sender.send(199))).toBeNull();
    const connection = await SmtpConnection.greet({ port: doors.port });
    await connection.startTls();
    await connection.command(`AUTH PLAIN ${btoa(`\0${sender.address}\0a pass`)}`, [235]);
    const send = async (recipients: number, reply: number) => {
      await connection.command(`MAIL FROM:<${sender.address}>`, [250]);
      for (let at = 0; at < recipients; at++) await connection.command(`RCPT TO:<p${at}@far.test>`, [250]);
      await connection.command("DATA", [354]);
      return connection.command(`From: <${sender.address}>\r\nSubject: x\r\n\r\nHello.\r\n.`, [reply]);
    };
    expect((await send(2, 451)).line).toMatch(/^451 4\.7\.1 .*200 recipients an hour/);
    await send(1, 250);
    await connection.quit();
    expect(await sender.counts()).toMatchObject({ recipients: 200, messages: 2 });
  });

  test("an operator sets them for an account, or forbids it to send, and the audit has it", async () => {
    const sender = await Sender.make();
    await setSendingLimits(admin(), sender.address, { hourly: 3, daily: 4 });
    expect(errors(await sender.send(3))).toBeNull();
    expect(errors(await sender.send(1))).toMatchObject({ c0: { type: "rateLimit" } });
    await setSendingLimits(admin(), sender.address, { hourly: 0 });
    expect(errors(await sender.send(1))).toMatchObject({ c0: { type: "forbiddenToSend" } });
    expect(await listStandings(admin(), 1_000)).toContainEqual(
      expect.objectContaining({ login: sender.address, hourly: 0, daily: 4, hold: null }),
    );
    await setSendingLimits(admin(), sender.address, { hourly: null, daily: null });
    expect((await showStanding(admin(), sender.address, true)).limits).toEqual({ hourly: 200, daily: 500 });
    expect((await showStanding(admin(), sender.address, false)).limits).toEqual({ hourly: null, daily: null });
    const { rows } = await readAudit(admin(), sender.address, { limit: 3 });
    expect(rows.map(({ what }) => [what.act, what.hourly])).toEqual([
      ["standing.limits", null],
      ["standing.limits", 0],
      ["standing.limits", 3],
    ]);
  });
});

describe("a line is passed", () => {
  test("hard bounces hold all further mail; the user and the operator are told; lifting lets it go", async () => {
    const sender = await Sender.make();
    const { created } = await sender.send(1);
    const { id } = created!.c0!;
    await until("it is sent", async () => (await sender.get(id)).undoStatus === "final");
    await sender.returned({ recipients: 150, hard: 19 });
    const { from } = sink.messages.at(-1)!;
    const about = { told: [{ to: "r0.0.0@far.test", status: "5.1.1", diagnostic: "550 5.1.1 no such user" }] };
    await deliver({ port: host.smtpPort, from: "", to: from, data: dsn(about) });
    await host.incoming.idle();
    expect(await hold(sender)).toMatchObject({
      reason: "bounces",
      text: "20 of 151 recipients of the last 7 days do not exist",
    });
    expect(host.heard.told).toContainEqual(["senderHeld", { reason: "bounces" }]);
    expect(host.warnings).toContainEqual(expect.objectContaining({ account: sender.account, reason: "bounces" }));
    const [told, ...more] = await sender.inbox();
    expect(more).toEqual([]);
    expect(told).toMatch(/^To: <sender\d+@here\.test>\r$/m);
    expect(told).toContain("20 of 151 recipients of the last 7 days do not exist");
    expect(told).toContain("postmaster@mx.posthorn.test");

    sink.reset();
    const next = (await sender.send(2)).created!.c0!;
    expect(next.undoStatus).toBe("pending");
    await host.mailOut!.idle();
    expect(sink.messages).toEqual([]);
    expect((await sender.get(next.id)).undoStatus).toBe("pending");
    expect((await sender.held()).map(({ standing, heldFor }) => [standing, heldFor])).toEqual([
      ["held", "bounces"],
      ["held", "bounces"],
    ]);
    // What was counted is forgiven: a single further bounce does not hold the mail again.
    expect(await liftSender(admin(), sender.address, { isDryRun: true })).toMatchObject({ deliveries: 2 });
    expect(await hold(sender)).not.toBeNull();
    expect(await liftSender(admin(), sender.address, { isDryRun: false })).toMatchObject({ deliveries: 2 });
    host.mailOut!.wake();
    await until("it goes", async () => (await sender.get(next.id)).undoStatus === "final");
    expect(await hold(sender)).toBeNull();
    expect(await sender.counts()).toMatchObject({ hard: 0 });
    await expect(liftSender(admin(), sender.address, { isDryRun: false })).rejects.toThrow("notHeld");
    expect((await readAudit(admin(), sender.address, { limit: 1 })).rows[0]!.what.act).toBe("standing.lift");
  });

  test("complaints of other users here hold it as soon as they are made", async () => {
    const [sender, reader] = [await Sender.make(), await Sender.make()];
    const email = await draft(
      Buffer.from(`From: <${sender.address}>\r\nTo: <${reader.address}>\r\nSubject: Buy\r\n\r\nBuy.\r\n`),
      sender.client,
    );
    const { list } = await sender.client.call("Identity/get", { ids: null });
    const identityId = (list as { id: string }[])[0]!.id;
    await sender.client.call("EmailSubmission/set", { create: { s: { identityId, emailId: email } } });
    await until("it arrives", async () => (await host.mails(reader.account)).length === 2);
    await sender.returned({ complaints: 4 });
    const { ids } = await reader.client.call("Email/query", { filter: { subject: "Buy" } });
    await reader.client.call("Email/set", { update: { [(ids as string[])[0]!]: { "keywords/$junk": true } } });
    expect(await until("it is held", () => hold(sender))).toMatchObject({ reason: "complaints" });
  });

  test("whoever reports the same recipient again and again, or complains of each mail, counts once", async () => {
    const [sender, reader] = [await Sender.make(), await Sender.make()];
    const { id } = (await sender.send(1)).created!.c0!;
    await until("it is sent", async () => (await sender.get(id)).undoStatus === "final");
    const { from } = sink.messages.at(-1)!;
    const gone = dsn({
      told: [{ to: sink.messages.at(-1)!.to[0]!, status: "5.1.1", diagnostic: "550 5.1.1 no such user" }],
    });
    const abuse = complaint(sink.messages.at(-1)!.to[0]!);
    for (let time = 0; time < 3; time++) {
      for (const data of [gone, abuse]) await deliver({ port: host.smtpPort, from: "", to: from, data });
    }
    await host.incoming.idle();
    expect(await sender.counts()).toMatchObject({ hard: 1, complaints: 1 });

    const identityId = ((await sender.client.call("Identity/get", { ids: null })).list as { id: string }[])[0]!.id;
    for (const subject of ["One", "Two"]) {
      const raw = `From: <${sender.address}>\r\nTo: <${reader.address}>\r\nSubject: ${subject}\r\n\r\nBuy.\r\n`;
      const emailId = await draft(Buffer.from(raw), sender.client);
      await sender.client.call("EmailSubmission/set", { create: { s: { identityId, emailId } } });
      const { ids } = await until("it arrives", async () => {
        const found = (await reader.client.call("Email/query", { filter: { subject } })) as { ids: string[] };
        return found.ids.length === 1 ? found : undefined;
      });
      await reader.client.call("Email/set", { update: { [ids[0]!]: { "keywords/$junk": true } } });
      await until("it is told", async () => {
        const marks = await host.rows("SELECT told FROM junk_mark WHERE user_id = $1", [reader.account]);
        return marks.every(({ told }) => told) && marks.length === (subject === "One" ? 1 : 2) ? true : undefined;
      });
    }
    expect(await sender.counts()).toMatchObject({ hard: 1, complaints: 2 });
    const kept = await host.rows("SELECT 1 FROM bounce WHERE user_id = $1", [sender.account]);
    expect(kept).toHaveLength(8);
  });

  test("a forward whose target refuses what strangers write holds nobody's mail", async () => {
    const sender = await Sender.make();
    const { id } = (await sender.send(1)).created!.c0!;
    await until("it is sent", async () => (await sender.get(id)).undoStatus === "final");
    await forwardAddress(admin(), sender.address, { to: ["gone@far.test"], keepsCopy: true });
    sink.program({ stage: "rcpt", times: 1, reply: "550 5.1.1 no such user" });
    const data = "From: Eve <eve@there.test>\r\nSubject: x\r\n\r\nHello.\r\n";
    await deliver({ port: host.smtpPort, from: "eve@there.test", to: sender.address, data });
    await host.incoming.idle();
    await until("it fails", async () => {
      const rows = await host.rows("SELECT 1 FROM bounce WHERE user_id = $1", [sender.account]);
      return rows.length === 1 ? true : undefined;
    });
    expect(await sender.counts()).toMatchObject({ hard: 0 });
  });

  test("what was destroyed counts all the same: a bounce, a complaint, and the limits", async () => {
    const sender = await Sender.make();
    const { id } = (await sender.send(1)).created!.c0!;
    await until("it is sent", async () => (await sender.get(id)).undoStatus === "final");
    const { from, to } = sink.messages.at(-1)!;
    const destroyed = await sender.client.call("EmailSubmission/set", { destroy: [id] });
    expect(destroyed.destroyed).toEqual([id]);
    await sender.returned({ recipients: 150, hard: 19 });
    const gone = dsn({ told: [{ to: to[0]!, status: "5.1.1", diagnostic: "550 5.1.1 no such user" }] });
    for (const data of [gone, complaint(to[0]!)]) await deliver({ port: host.smtpPort, from: "", to: from, data });
    await host.incoming.idle();
    expect(await sender.counts()).toMatchObject({ hard: 20, complaints: 1, messages: 1, recipients: 151 });
    expect(await hold(sender)).toMatchObject({ reason: "bounces" });
    expect(errors(await sender.send(50))).toMatchObject({ c0: { type: "rateLimit" } });
    // The rows go once no report would be believed any more.
    const left = () => host.rows("SELECT kept_since FROM delivery WHERE user_id = $1", [sender.account]);
    expect(await left()).toHaveLength(1);
    host.clock.ahead += 16 * 86_400_000;
    const { store, blobs, log } = host;
    await new Sweeper({ store, objects: blobs.objects, log }).prune();
    expect(await left()).toEqual([]);
  });

  test("mail that its sender delays, that waits for the virus scanner, or whose process died, is held as well", async () => {
    const sender = await Sender.make();
    const later = await sender.client.call("EmailSubmission/set", {
      create: { s: { ...(await record(sender)), envelope: envelope(sender, "HOLDFOR", "600") } },
    });
    expect(later.notCreated).toBeNull();
    const stall = sink.program({ stage: "rcpt", reply: "451 4.3.2 later" });
    const [scanned, left] = Object.values((await sender.send(1, 1)).created!).map(({ id }) => decodeId("s", id)!);
    await until("they wait", async () => {
      const rows = await host.rows("SELECT 1 FROM delivery WHERE user_id = $1 AND attempts = 1 AND leased_by IS NULL", [
        sender.account,
      ]);
      return rows.length === 2 ? true : undefined;
    });
    stall();
    sink.reset();
    // As if processes had them in hand.
    const [leasedUntil, now] = [new Date(host.clock.now().getTime() + 60_000), host.clock.now()];
    await host.rows(
      "UPDATE delivery SET leased_by = 'gone', leased_until = $2, next_attempt_at = $3 WHERE user_id = $1 AND attempts = 1",
      [sender.account, leasedUntil, now],
    );
    await holdSender(admin(), sender.address, { reason: "call us", isDryRun: false });
    const about = { userId: sender.account, submissionId: scanned! };
    const row = { no: 0, unscannedSince: null } as LeasedDelivery;
    await putBackUnscanned(host.store, about, [row], "gone");
    const leased = { ...about, submissionId: left!, leasedUntil } as LeasedSubmission;
    expect(await renewLease(host.database, leased, [0], { holder: "gone", until: new Date(2e12) })).toBe(false);
    host.clock.ahead += 3_600_000;
    await host.mailOut!.sweep();
    await hintQueued(host.database, sender.account, host.clock.now());
    host.mailOut!.wake();
    await host.mailOut!.idle();
    expect(sink.messages).toEqual([]);
    expect((await sender.held()).map(({ heldFor }) => heldFor)).toEqual(["operator", "operator", "operator"]);
    await liftSender(admin(), sender.address, { isDryRun: false });
    host.mailOut!.wake();
    await until("all go", async () => (sink.messages.length === 3 ? true : undefined));
  });

  test("mail that looks like spam: from the tenth on, with what waits already", async () => {
    const scanners = {
      junkScore: 5,
      findVirus: async () => undefined,
      scoreOutgoing: async () => 9,
    } as unknown as Scanners;
    const sender = await Sender.make((client) => {
      Object.assign(client.services, { scanners });
      return client;
    });
    // Delayed by its sender.
    const later = await sender.client.call("EmailSubmission/set", {
      create: { s: { ...(await record(sender)), envelope: envelope(sender, "HOLDFOR", "600") } },
    });
    expect(later.notCreated).toBeNull();
    expect(Object.keys((await sender.send(...Array(8).fill(1))).created!)).toHaveLength(8);
    expect(await hold(sender)).toBeNull();
    await sender.send(1);
    expect(await hold(sender)).toMatchObject({
      reason: "spam",
      text: "10 of 10 mails of the last 24 hours look like spam",
    });
    await host.mailOut!.idle();
    const waiting = await sender.held();
    expect(waiting.length).toBeGreaterThanOrEqual(2);
    await liftSender(admin(), sender.address, { isDryRun: false });
    const rows = await host.rows(
      "SELECT d.next_attempt_at >= s.send_at AS late FROM delivery d JOIN submission s ON s.user_id = $1 AND s.id = d.submission_id WHERE d.user_id = $1 AND d.state = 'queued'",
      [sender.account],
    );
    expect(rows.every(({ late }) => late)).toBe(true);
  });

  test("a new network alone, or unusual volume alone, hold nothing; both together do", async () => {
    const usual = await Sender.make();
    expect(errors(await usual.send(120))).toBeNull();
    expect(await hold(usual)).toBeNull();
    const away = await Sender.make((client) => {
      Object.assign(client.login, { isAway: true });
      return client;
    });
    expect(errors(await away.send(30))).toBeNull();
    expect(await hold(away)).toBeNull();
    const { created } = await away.send(30);
    expect(await hold(away)).toMatchObject({ reason: "takeover" });
    expect((await away.get(created!.c0!.id)).undoStatus).toBe("pending");
  });
});

const complaint = (to: string) =>
  Buffer.from(
    [
      "From: abuse@far.test",
      "Subject: FW: Hi",
      "MIME-Version: 1.0",
      'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "This is an abuse report.",
      "--b",
      "Content-Type: message/feedback-report",
      "",
      "Feedback-Type: abuse",
      "User-Agent: X/1",
      "Version: 1",
      `Original-Rcpt-To: <${to}>`,
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "Subject: Hi",
      "",
      "Hello.",
      "--b--",
      "",
    ].join("\r\n"),
  );

const record = async (sender: Sender) => {
  const { list } = await sender.client.call("Identity/get", { ids: null });
  const emailId = await draft(
    Buffer.from(`From: <${sender.address}>\r\nSubject: Later\r\n\r\nHello.\r\n`),
    sender.client,
  );
  return { identityId: (list as { id: string }[])[0]!.id, emailId };
};
const envelope = (sender: Sender, name: string, value: string) => ({
  mailFrom: { email: sender.address, parameters: { [name]: value } },
  rcptTo: [{ email: "later@far.test" }],
});

describe("an operator", () => {
  test("holds what waits and what comes; a sweep tells the user if a crash prevented it", async () => {
    const sender = await Sender.make();
    const onHeld = host.store.onHeld;
    host.store.onHeld = () => {};
    sink.program({ stage: "rcpt", times: 1, reply: "451 4.3.2 later" });
    const { created } = await sender.send(1);
    await until("it waits", async () =>
      (await sender.get(created!.c0!.id)).deliveryStatus["r0.0.0@far.test"]!.smtpReply.startsWith("451"),
    );
    expect(await holdSender(admin(), sender.address, { reason: "call us", isDryRun: true })).toMatchObject({
      deliveries: 1,
    });
    expect(await hold(sender)).toBeNull();
    expect(await holdSender(admin(), sender.address, { reason: "call us", isDryRun: false })).toMatchObject({
      deliveries: 1,
    });
    host.store.onHeld = onHeld;
    expect((await sender.held()).map(({ heldFor }) => heldFor)).toEqual(["operator"]);
    await expect(holdSender(admin(), sender.address, { reason: "x", isDryRun: false })).rejects.toThrow("heldAlready");
    expect(await sender.inbox()).toEqual([]);
    const { store, blobs, log } = host;
    const more = { "held senders": () => notices.sweep() };
    await new Sweeper({ store, objects: blobs.objects, log, more }).run();
    await notices.sweep();
    expect(await sender.inbox()).toHaveLength(1);
    expect((await sender.inbox())[0]).toContain("Why: call us.");
    // Nobody sends it meanwhile, and a hint that is due changes nothing.
    host.clock.ahead += 6 * 86_400_000;
    await hintQueued(host.database, sender.account, host.clock.now());
    host.mailOut!.wake();
    await host.mailOut!.idle();
    expect((await sender.get(created!.c0!.id)).deliveryStatus["r0.0.0@far.test"]!.delivered).toBe("queued");
    // Its time to be tried begins anew.
    sink.program({ stage: "rcpt", times: 1, reply: "451 4.3.2 later" });
    await liftSender(admin(), sender.address, { isDryRun: false });
    host.mailOut!.wake();
    await until("tried", async () => {
      const rows = await host.rows("SELECT attempts, state FROM delivery WHERE user_id = $1", [sender.account]);
      return rows[0]!.attempts === 2 && rows[0]!.state === "queued";
    });
  });
});
