import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDomain } from "../../src/admin/domains.ts";
import type { Clock } from "../../src/base/clock.ts";
import { type Holder, thisProcess } from "../../src/base/holder.ts";
import type { Log } from "../../src/base/log.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import type { Delivered, IncomingOptions } from "../../src/mail/deliver/arriving.ts";
import { Incoming } from "../../src/mail/deliver/incoming.ts";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { ReturnPaths } from "../../src/mail/feedback/return-path.ts";
import { Learner } from "../../src/mail/scan/learner.ts";
import type { Scanners } from "../../src/mail/scan/scanners.ts";
import { SubmissionHints } from "../../src/mail/submit/hints.ts";
import { VacationResponder } from "../../src/mail/vacation/vacation.ts";
import type { SmtpInOptions } from "../../src/smtp/inbound/options.ts";
import { createSmtpIn, type SmtpIn } from "../../src/smtp/inbound/server.ts";
import type { Stages } from "../../src/smtp/inbound/stages/stage.ts";
import { createStages } from "../../src/smtp/inbound/stages/stages.ts";
import { createMailOut, type MailOut } from "../../src/smtp/outbound/mail-out.ts";
import type { MailOutOptions } from "../../src/smtp/outbound/options.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import type { Database } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { type StateChange, Store } from "../../src/store/core/store.ts";
import { StoredMailLog } from "../../src/store/queues/mail-log.ts";
import { testAdmin } from "../support/admin.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { keepEvents } from "../support/events.ts";
import { createTestAccount, createTestDatabase } from "../support/postgres.ts";
import { testScanners } from "../support/scanners.ts";

/** Real time that a test can move forward. */
export class TestClock implements Clock {
  ahead = 0;
  now(): Date {
    return new Date(Date.now() + this.ahead);
  }
}

export interface StoredMail {
  raw: string;
  subject: string | null;
  mailboxIds: number[];
}

interface ListenOptions extends Pick<SmtpInOptions, "onDmarc" | "policies"> {
  maxMessageSize?: number;
  /** Stages to use instead of the usual ones. */
  stages?: Partial<Stages>;
}

interface HostOptions {
  pileBytes?: number;
  scanners?: Scanners;
}

/** The mail part of a server on a real database, blob folder and DNS; the tests are its clients. */
export class MailHost {
  readonly folder: string;
  readonly database: Database;
  readonly clock: TestClock;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly ingest: Ingest;
  readonly returnPaths: ReturnPaths;
  readonly incoming: Incoming;
  readonly scanners: Scanners;
  readonly learner: Learner;
  readonly dns: DnsServer;
  readonly changes: StateChange[] = [];
  readonly warnings: unknown[] = [];
  /** Other logged messages. */
  readonly events: { event: string; fields: object }[] = [];
  readonly log: Log;
  readonly mailLog: StoredMailLog;
  /** The events. */
  readonly heard = keepEvents();
  smtpIn: SmtpIn | undefined;
  smtpPort = 0;
  mailOut: MailOut | undefined;
  #hints: SubmissionHints | undefined;

  constructor(folder: string, database: Database, dns: DnsServer, { pileBytes, scanners }: Required<HostOptions>) {
    const clock = new TestClock();
    this.folder = folder;
    this.scanners = scanners;
    this.database = database;
    this.dns = dns;
    this.clock = clock;
    this.log = {
      debug: (fields, event) => void this.events.push({ event, fields }),
      info: (fields, event) => void this.events.push({ event, fields }),
      warn: (fields) => void this.warnings.push(fields),
      error: (fields) => void this.warnings.push(fields),
    };
    this.mailLog = new StoredMailLog({ database, clock, log: this.log });
    this.store = new Store({
      database: this.database,
      clock,
      log: this.log,
      onCommit: (change) => {
        this.changes.push(change);
        this.#hints?.noticed(change);
      },
    });
    this.blobs = new Blobs({
      objects: new DiskObjects({ folder: join(folder, "blobs"), clock, random: randomBytes }),
      clock,
      cacheBytes: 10_000_000,
      pileBytes,
    });
    this.ingest = new Ingest(this.store);
    this.returnPaths = new ReturnPaths(database);
    const { store, blobs, log } = this;
    this.learner = new Learner({ store, blobs, log, rspamd: scanners.rspamd });
    this.incoming = this.newIncoming();
  }

  newIncoming(holder: Holder = thisProcess, more: Partial<IncomingOptions> = {}): Incoming {
    const { store, blobs, ingest, returnPaths, clock, log, mailLog } = this;
    const { events } = this.heard;
    const vacation = new VacationResponder({ store, blobs, clock, log, random: randomBytes });
    const onDelivered = (delivered: Delivered) => vacation.answer(delivered);
    const { scanners } = this;
    const means = { store, blobs, ingest, returnPaths, clock, log, mailLog, events, scanners };
    return new Incoming({ ...means, holder, onDelivered, ...more });
  }

  async listen({ maxMessageSize = 1_000_000, policies, stages, onDmarc }: ListenOptions = {}): Promise<void> {
    const { database, blobs, incoming, returnPaths, clock, log, mailLog, dns } = this;
    const { events } = this.heard;
    const hostname = "mx.posthorn.test";
    const resolver = dns.resolver();
    const counts = new OwnCounts({ clock });
    const own = {
      database,
      blobs,
      incoming,
      returnPaths,
      resolver,
      clock,
      log,
      mailLog,
      newId: () => incoming.newId(),
    };
    const limits = { maxMessageSize, maxConnections: 1_000 };
    const options = {
      ...own,
      ...limits,
      events,
      counts,
      hostname,
      ...(policies && { policies }),
      ...(onDmarc && { onDmarc }),
    };
    this.smtpIn = await createSmtpIn(options, { ...createStages(options), ...stages });
    this.smtpPort = await this.smtpIn.listen("127.0.0.1", 0);
  }

  /** Outgoing mail that connects to every domain's servers at the sink's port. */
  startMailOut(port: number, options: Partial<MailOutOptions> = {}): MailOut {
    const { store, blobs, incoming, returnPaths, scanners, clock, log, mailLog, dns, database } = this;
    const mailOut = createMailOut({
      store,
      scanners,
      blobs,
      returnPaths,
      signsReturnPath: false,
      incoming,
      clock,
      log,
      mailLog,
      events: this.heard.events,
      random: randomBytes,
      resolver: dns.resolver(),
      counts: new OwnCounts({ clock }),
      holder: thisProcess,
      hostname: "mx.posthorn.test",
      mxPort: port,
      allowPrivateTargets: true,
      retrySchedule: [2 * 60_000, 5 * 60_000, 3600_000],
      retryFor: 5 * 24 * 3600_000,
      delayWarning: 4 * 3600_000,
      ...options,
    });
    this.mailOut = mailOut;
    this.#hints = new SubmissionHints({ database, clock, log, wake: () => mailOut.wake() });
    return mailOut;
  }

  /** An account with the usual mailboxes. */
  async account(address: string): Promise<number> {
    await ensureDomain(testAdmin(this.store), address.split("@")[1]!);
    return createTestAccount(this.store, address);
  }

  /** All mail of the account, oldest first. */
  async mails(accountId: number): Promise<StoredMail[]> {
    const rows = await this.database.run(
      unprepared<{ sha256: Buffer; day: string; size: number; subject: string | null; mailbox_ids: number[] }>(`
        SELECT m.sha256, b.day, m.size, m.subject, e.mailbox_ids FROM email e
        JOIN message m ON m.user_id = $1 AND m.no = e.no
        JOIN blob_ref b ON b.user_id = $1 AND b.sha256 = m.sha256
        WHERE e.user_id = $1 ORDER BY e.id`),
      [accountId],
    );
    return Promise.all(
      rows.map(async ({ mailbox_ids, subject, ...blob }) => ({
        raw: (await this.blobs.readObject(blob)).toString("latin1"),
        subject,
        mailboxIds: mailbox_ids,
      })),
    );
  }

  async rows(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    // Marked, so that statements.test.ts does not take it for a statement of the server.
    return this.database.run(unprepared(`/* test */ ${text}`), values);
  }

  async stop(): Promise<void> {
    await this.smtpIn?.close();
    await this.mailOut?.close();
    await this.incoming.close();
    await this.mailLog.flush();
    await this.dns.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Without `pileBytes`, incoming messages over 1 MB are kept in files. */
export async function startMailHost({ pileBytes = 0, scanners = testScanners() }: HostOptions = {}): Promise<MailHost> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-smtp-"));
  const [{ database }, dns] = await Promise.all([createTestDatabase(), startDns()]);
  return new MailHost(folder, database, dns, { pileBytes, scanners });
}
