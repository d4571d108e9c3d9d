import { sql } from "kysely";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { logStep, type MailLog, type MailStep } from "../../base/mail-log.ts";
import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import { type Lists, lists, unnest } from "../core/lists.ts";
import { withoutWaiting } from "./without-waiting.ts";

const columns = ["mailId", "at", "event", "messageId", "addresses", "fields"] as const;
/** A step as it was kept. */
export type MailEvent = Row<"mailEvent", (typeof columns)[number]>;

const insert = write("mailLog.add", (db, $: Lists<"mailEvent", (typeof columns)[number]>) =>
  db
    .insertInto("mailEvent")
    .columns(columns)
    .expression(db.selectFrom(unnest("mailEvent", columns, $)).select(columns)),
);
const ofMails = read("mailLog.ofMails", (db, $: { ids: readonly number[]; limit: number }) =>
  db.selectFrom("mailEvent").select(columns).where("mailId", "in", $.ids).orderBy("at").limit($.limit),
);
const about = read("mailLog.about", (db, $: { text: string; since: Date; limit: number }) =>
  db
    .selectFrom("mailEvent")
    .select(columns)
    .where("at", ">=", $.since)
    .where(sql<boolean>`(message_id = ${$.text} OR addresses @> to_jsonb(lower(${$.text})))`)
    .orderBy("at", "desc")
    .limit($.limit),
);
const accepted = read("mailLog.accepted", (db, $: { since: Date; until: Date; after: number; limit: number }) =>
  db
    .selectFrom("mailEvent")
    .select(["mailId", "at", "fields"])
    .where("at", ">=", $.since)
    .where("at", "<=", $.until)
    .where("event", "=", "mail in")
    .where("mailId", ">", $.after)
    .orderBy("mailId")
    .limit($.limit),
);
const drop = write("mailLog.drop", (db, $: { until: Date }) => db.deleteFrom("mailEvent").where("at", "<=", $.until));

const maxMailEvents = 1_000;

/** The steps of these mails, oldest first. */
export function eventsOf(database: Database, ids: readonly number[]): Promise<MailEvent[]> {
  return ids.length === 0 ? Promise.resolve([]) : database.run(ofMails, { ids, limit: maxMailEvents });
}

/** Steps that name this Message-ID or address, newest first. */
export function eventsAbout(database: Database, text: string, since: Date): Promise<MailEvent[]> {
  return database.run(about, { text, since, limit: maxMailEvents });
}

/** When mails were accepted, in the order of their ids. */
export function acceptedBetween(database: Database, page: { since: Date; until: Date; after: number; limit: number }) {
  return database.run(accepted, page);
}

/** Forgets the steps of before `until`; returns how many. */
export function dropMailEvents(database: Database, until: Date): Promise<number> {
  return database.count(drop, { until });
}

interface Options {
  database: Database;
  clock: Clock;
  log: Log;
  onKept?: () => void;
}

const flushEveryMs = 1_000;
/** Of one process between two writes. More are logged, and not kept. */
const maxWaiting = 5_000;
const maxRefusals = 100;

/**
 * Logs steps and keeps them in the database, in one statement a second and without waiting for the disk: a crash loses those
 * of the last second. While the database is away, the newest are lost.
 */
export class StoredMailLog implements MailLog {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onKept: () => void;
  #waiting: MailEvent[] = [];
  #refusals = 0;
  #isFull = false;
  #timer: NodeJS.Timeout | undefined;
  #writing = Promise.resolve();

  /** `onKept`: called when further steps are in the database. */
  constructor({ database, clock, log, onKept = () => {} }: Options) {
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
    this.#onKept = onKept;
  }

  tell(event: string, step: MailStep, level: "info" | "warn" = "info"): void {
    logStep(this.#log, event, step, level);
    if (this.#waiting.length < maxWaiting) this.#keep(event, step);
    else this.#tellFull();
  }

  #keep(event: string, step: MailStep): void {
    const { id, messageId, ...fields } = step;
    const { from, to = [] } = step;
    this.#waiting.push({
      mailId: id ?? null,
      at: this.#clock.now(),
      event,
      messageId: messageId ?? null,
      addresses: [...(from ? [from] : []), ...to].map((address) => address.toLowerCase()),
      fields,
    });
    this.#timer ??= setTimeout(() => void this.flush(), flushEveryMs).unref();
  }

  tellRefusal(event: string, step: MailStep): void {
    if (this.#refusals < maxRefusals) this.tell(event, step);
    else {
      logStep(this.#log, event, step);
      this.#tellFull();
    }
    this.#refusals++;
  }

  #tellFull(): void {
    if (!this.#isFull) this.#log.warn({}, "too many steps of mails in a second: some can't be traced");
    this.#isFull = true;
  }

  /** Resolves when all steps so far are written, or given up. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const rows = this.#waiting.map(({ addresses, fields, ...row }) => ({
      ...row,
      addresses: textOf(addresses),
      fields: textOf(fields),
    }));
    this.#waiting = [];
    this.#refusals = 0;
    this.#isFull = false;
    if (rows.length === 0) return;
    try {
      await this.#database.transaction("BEGIN", async (executor) => {
        executor.send(withoutWaiting);
        executor.send(insert, lists(rows, columns));
      });
      this.#onKept();
    } catch (error) {
      this.#log.warn({ steps: rows.length, reason: (error as Error).message }, "steps of mails not kept");
    }
  }
}

/** As JSON that Postgres takes: it knows no NUL, and no half of a surrogate pair. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === "string" ? one.replaceAll("\0", "").toWellFormed() : one));
}
