import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Database } from "../../store/core/database.ts";
import { addReportCounts, type ReportCount, type ReportKind } from "../../store/queues/report-counts.ts";
import type { DmarcCounted } from "./dmarc-report.ts";
import type { TlsCounted } from "./tls-report.ts";

const writeEveryMs = 10_000;
/** Different things that wait to be written; beyond that, what is new is not counted. */
const maxWaiting = 20_000;

/** Counts what is reported to other domains, and writes the counts every few seconds: a statement a mail would cost more than they are worth. */
export class ReportCounts {
  readonly #options: { database: Database; clock: Clock; log: Log };
  #waiting = new Map<string, ReportCount>();
  #writing = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(options: { database: Database; clock: Clock; log: Log }) {
    this.#options = options;
    this.#timer = setInterval(() => void this.write(), writeEveryMs).unref();
  }

  countTls(domain: string, what: TlsCounted): void {
    this.#count("tls", domain, what);
  }

  countDmarc(domain: string, what: DmarcCounted): void {
    this.#count("dmarc", domain, what);
  }

  #count(kind: ReportKind, domain: string, what: object): void {
    const day = this.#options.clock.now().toISOString().slice(0, 10);
    // The database takes no NUL, and a peer may have put one anywhere.
    const text = JSON.stringify(what).replaceAll("\\u0000", "");
    const name = [kind, day, domain, text].join("\n");
    const known = this.#waiting.get(name);
    if (known) known.number++;
    else if (this.#waiting.size < maxWaiting) {
      const key = createHash("sha256").update(name).digest();
      this.#waiting.set(name, { kind, day, domain, key, what: JSON.parse(text) as Record<string, unknown>, number: 1 });
    }
  }

  /** Writes what was counted so far; what can't be written now is tried again later. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { database, log } = this.#options;
    const counts = this.#waiting;
    if (counts.size === 0) return;
    this.#waiting = new Map();
    try {
      await addReportCounts(database, [...counts.values()]);
    } catch (error) {
      log.warn({ reason: (error as Error).message }, "counts for reports wait to be written");
      for (const [name, count] of this.#waiting) {
        const known = counts.get(name);
        if (known) known.number += count.number;
        else if (counts.size < maxWaiting) counts.set(name, count);
      }
      this.#waiting = counts;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
