import { createHash } from "node:crypto";
import type { Resolver } from "node:dns/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Clock, Random } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import { findAddress } from "../../store/directory/recipients.ts";
import { hintQueued } from "../../store/queues/due.ts";
import {
  dropReportCounts,
  finishReport,
  type ReportOf,
  reportCounts,
  takeReport,
  unsentReports,
} from "../../store/queues/report-counts.ts";
import { enqueue } from "../submit/enqueue.ts";
import { dmarcReport } from "./dmarc-report.ts";
import { maxRows, type ReportHead } from "./report.ts";
import { reportMail } from "./report-mail.ts";
import { type Destination, destinationsOf } from "./rua.ts";
import { reportFile, tlsReport } from "./tls-report.ts";

export interface ReportSenderOptions {
  store: Store;
  blobs: Blobs;
  clock: Clock;
  random: Random;
  log: Log;
  resolver: Pick<Resolver, "resolve">;
  /** The name of this server. */
  hostname: string;
  /** The address in From, of an account here. */
  from: string;
  /** Posts a body to a URL; resolves with the status. */
  post(url: string, headers: Record<string, string>, body: Buffer): Promise<{ status: number }>;
}

/** A process that takes a report has so long. */
const takenForMs = 3_600_000;
const atOnce = 50;
/** Counts of days that are over are kept for so many days, in case their report can't be sent. */
const maxDays = 4;
const dayMs = 86_400_000;
const ofNoEmail = { identityId: 0, emailId: 0, threadId: 0 };

/** Sends the reports of the days that are over, each once. */
export class ReportSender {
  readonly #options: ReportSenderOptions;

  constructor(options: ReportSenderOptions) {
    this.#options = options;
  }

  /** Sends what is due; several processes share it. Stops between two reports when `signal` is aborted. */
  async run(signal?: AbortSignal): Promise<void> {
    const { store, clock, log, from } = this.#options;
    const { database } = store;
    const now = clock.now();
    await dropReportCounts(database, dayOf(new Date(now.getTime() - maxDays * dayMs)));
    const account = await findAddress(database, from);
    if (account === undefined) {
      log.warn({ from }, "no reports are sent: no account has the address that they come from");
      return;
    }
    for (;;) {
      const reports = await unsentReports(database, dayOf(now), clock.now(), atOnce);
      for (const report of reports) {
        if (signal?.aborted) return;
        await this.#sendOnce(report, account);
      }
      if (reports.length < atOnce) return;
    }
  }

  async #sendOnce(report: ReportOf, account: number): Promise<void> {
    const { store, clock, log } = this.#options;
    const now = clock.now();
    if (!(await takeReport(store.database, report, now, new Date(now.getTime() + takenForMs)))) return;
    try {
      await this.#send(report, account);
    } catch (error) {
      log.warn({ ...report, reason: (error as Error).message }, "a report will be sent later");
      return;
    }
    await finishReport(store.database, report, clock.now());
  }

  async #send(report: ReportOf, account: number): Promise<void> {
    const { store, resolver, log } = this.#options;
    const destinations = await destinationsOf(report.kind, report.domain, resolver);
    if (destinations.length === 0) return;
    const head = this.#headOf(report);
    const counts = await reportCounts(store.database, report, maxRows);
    const text = report.kind === "tls" ? tlsReport(head, counts) : dmarcReport(head, counts);
    const bytes = await promisify(gzip)(text);
    const taking = destinations.filter(({ maxOctets }) => bytes.length <= maxOctets);
    const results = await Promise.allSettled(taking.map((to) => this.#sendTo(to, { report, head, bytes, account })));
    // One destination that has it is enough: again, the others would get it twice.
    const failure = results.find((result) => result.status === "rejected");
    if (failure && results.every(({ status }) => status === "rejected")) throw failure.reason;
    log.info({ ...report, to: taking.map(({ to }) => to) }, "report sent");
  }

  #headOf({ kind, domain, day }: ReportOf): ReportHead {
    const { hostname, from } = this.#options;
    const hash = createHash("sha256").update([hostname, kind, domain, day].join("\n")).digest("hex");
    return { domain, day, organization: hostname, contact: from, reportId: `${day}.${hash.slice(0, 20)}` };
  }

  async #sendTo(
    { kind, to }: Destination,
    { report, head, bytes, account }: { report: ReportOf; head: ReportHead; bytes: Buffer; account: number },
  ): Promise<void> {
    const { post, hostname: submitter, clock, from, random, blobs } = this.#options;
    if (kind === "https") {
      const { status } = await post(to, { "content-type": "application/tlsrpt+gzip" }, bytes);
      if (status < 200 || status > 299) throw new Error(`${to} answered ${status}`);
      return;
    }
    const file = { name: reportFile(submitter, head, report.kind === "tls" ? "json.gz" : "xml.gz"), bytes };
    const mail = reportMail({ ...{ kind: report.kind, head, from, to, submitter, file }, now: clock.now() }, random);
    await this.#queue(account, to, await blobs.put(mail));
  }

  /** A submission that clients do not see, and whose failure nobody is told of. */
  async #queue(account: number, to: string, blob: Awaited<ReturnType<Blobs["put"]>>): Promise<void> {
    const { store, clock, log, from } = this.#options;
    const envelope = { mailFrom: { email: from, parameters: null }, rcptTo: [{ email: to, parameters: null }] };
    await store.write(
      account,
      "server",
      async (tx) => {
        const [id] = await tx.newIds(1);
        await enqueue(tx, [{ id: id!, ...ofNoEmail, envelope, sendAt: tx.now, blob, isHidden: true, isSilent: true }]);
      },
      { ids: 1 },
    );
    await hintQueued(store.database, account, clock.now()).catch((error: unknown) =>
      log.warn({ account, err: error }, "hint for a report not written, the sweep will find it"),
    );
  }
}

const dayOf = (date: Date) => date.toISOString().slice(0, 10);
