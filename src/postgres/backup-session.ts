import { readdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { connectionTo, existingRunFolder } from "./layout.ts";
import { StartError } from "./start-error.ts";

/** Of 16 MB, as initdb makes them. */
const segmentsInFile = 256;
const segmentName = /^[0-9A-F]{24}$/;

/** A moment of the database. */
export interface Moment {
  /** By the database's clock. All that was committed before it is in the log up to `segment`. */
  at: Date;
  /** The last whole segment of the log. */
  segment: string;
  /** Where the log went on. */
  lsn: string;
}

/** One connection to a running server, over which its files are backed up. */
export class BackupSession {
  readonly #client: pg.Client;
  readonly #pg: string;

  private constructor(client: pg.Client, folder: string) {
    this.#client = client;
    this.#pg = folder;
  }

  /** Throws StartError if no server runs on the data folder. */
  static async open(dataFolder: string): Promise<BackupSession> {
    const run = existingRunFolder(dataFolder);
    if (run === undefined) throw new StartError(`no database runs in ${dataFolder}`);
    const client = new pg.Client({ ...connectionTo(run), application_name: "posthorn backup" });
    client.on("error", () => {});
    await client.connect();
    await client.query("set idle_session_timeout = 0");
    await client.query("set statement_timeout = 0");
    return new BackupSession(client, join(dataFolder, "pg"));
  }

  /** What tells this database from others, and from what it was before a restore. */
  async identity(): Promise<{ system: string; timeline: string }> {
    const [row] = await this.#ask<{ system: string; segment: string }>(
      "select system_identifier::text as system, pg_walfile_name(pg_current_wal_lsn()) as segment from pg_control_system()",
    );
    return { system: row!.system, timeline: row!.segment.slice(0, 8) };
  }

  /** Whether the slot keeps the whole log since it was advanced last. */
  async keepsLog(slot: string): Promise<boolean> {
    const rows = await this.#ask<{ status: string | null }>(
      "select wal_status as status from pg_replication_slots where slot_name = $1",
      slot,
    );
    return rows[0]?.status === "reserved" || rows[0]?.status === "extended" || rows[0]?.status === "unreserved";
  }

  /** Makes the server keep its log from now on, until `advance`. */
  async beginToKeepLog(slot: string): Promise<void> {
    await this.#ask("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", slot);
    await this.#ask("select pg_create_physical_replication_slot($1, true)", slot);
  }

  /** The log before the moment is no longer kept. */
  async advance(slot: string, { lsn }: Moment): Promise<void> {
    await this.#ask("select pg_replication_slot_advance($1, $2::text::pg_lsn)", slot, lsn);
  }

  /** From now on the files may be copied. Returns the segment with which their log begins. */
  async begin(label: string): Promise<string> {
    const [row] = await this.#ask<{ segment: string }>(
      "select pg_walfile_name(pg_backup_start($1, true)) as segment",
      label,
    );
    return row!.segment;
  }

  /** Ends the copy; returns what `backup_label` must contain beside the files. */
  async end(): Promise<string> {
    const [row] = await this.#ask<{ label: string }>("select labelfile as label from pg_backup_stop(false)");
    return row!.label;
  }

  /** Ends a segment of the log, which then holds all up to now. */
  async moment(): Promise<Moment> {
    const [row] = await this.#ask<{ at: Date }>("select clock_timestamp() as at");
    // A commit after that time, at which a restore to it knows that it has come far enough.
    await this.#ask("select pg_current_xact_id()");
    const [end] = await this.#ask<{ segment: string; lsn: string }>(
      "select pg_walfile_name(lsn) as segment, lsn::text as lsn from pg_switch_wal() as lsn",
    );
    return { at: row!.at, ...end! };
  }

  /** The paths of the segments from `first` to `last`. Throws if one is missing. */
  async segments(first: string, last: string): Promise<{ name: string; path: string }[]> {
    const folder = join(this.#pg, "pg_wal");
    const names = (await readdir(folder))
      .filter((name) => segmentName.test(name) && name >= first && name <= last)
      .sort();
    for (const [at, name] of names.entries()) {
      if (name !== (at === 0 ? first : segmentAfter(names[at - 1]!)))
        throw new Error(`the log lacks segments before ${name}`);
    }
    if (first <= last && names.at(-1) !== last) throw new Error(`the log lacks segment ${last}`);
    return names.map((name) => ({ name, path: join(folder, name) }));
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  async #ask<Row extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.#client.query<Row>(text, values)).rows;
  }
}

/** The segment of the log that follows, on the same timeline. */
export function segmentAfter(name: string): string {
  const number = Number.parseInt(name.slice(8, 16), 16) * segmentsInFile + Number.parseInt(name.slice(16), 16) + 1;
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  return name.slice(0, 8) + hex(Math.floor(number / segmentsInFile)) + hex(number % segmentsInFile);
}
