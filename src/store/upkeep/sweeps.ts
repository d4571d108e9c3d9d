import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { releaseBlobs } from "../blobs/blob-refs.ts";
import type { ListedObject, ObjectKey, ObjectStore, StoredBlob } from "../blobs/objects/object-store.ts";
import { typeCodes } from "../core/change.ts";
import type { Database } from "../core/database.ts";
import { AccountMissing } from "../core/errors.ts";
import { findSetting } from "../core/settings.ts";
import { statement, unprepared } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { dropKnownNetworks } from "../directory/known-networks.ts";
import { removeExpiredPushes } from "./push-sweeps.ts";

/** Statements that look across all accounts: only this file has them, and says so in their text. */
const across = <Row extends object>(text: string) =>
  unprepared<Row & Record<string, unknown>>(`-- crosses accounts\n${text}`);

const hour = 3600_000;
const day = 24 * hour;
/** A released reference may be revived for as long. */
const released = day;
/** Clients may catch up by /changes for as long. */
const logged = 30 * day;
/** An object goes when its day is over for as long: far longer than any writer takes to commit its reference. */
const settled = 2 * day;
/** A push subscription whose client has not shown by then that it hears of it. */
const unverified = day;
const batch = 20_000;
/** How often a worker sweeps. */
export const sweepInterval = 10 * 60_000;

/** What one run did. */
export interface Swept {
  uploads: number;
  references: number;
  objects: number;
  changes: number;
  received: number;
}

export interface SweeperOptions {
  store: Store;
  objects: ObjectStore;
  log: Log;
  /** At most as many rows of a kind, and accounts, a run. */
  limit?: number;
}

/** Clears away what time has made useless. Any number of processes may run it, beside any writer. */
export class Sweeper {
  readonly #store: Store;
  readonly #objects: ObjectStore;
  readonly #log: Log;
  readonly #limit: number;
  readonly #clock: Clock;
  /** The account whose log was pruned last. */
  #cursor = 0;

  constructor({ store, objects, log, limit = 2000 }: SweeperOptions) {
    this.#store = store;
    this.#objects = objects;
    this.#log = log;
    this.#limit = limit;
    this.#clock = store.clock;
  }

  async run(): Promise<Swept> {
    const swept: Swept = { uploads: 0, references: 0, objects: 0, changes: 0, received: 0 };
    swept.uploads = await this.releaseExpired();
    swept.references = await this.dropReleased();
    swept.objects = (await this.removeDead()) + (await this.removeOrphans());
    Object.assign(swept, await this.prune());
    await this.#store.database.run(deleteExpiredTokens, [this.#ago(logged)]);
    await removeExpiredPushes(this.#store.database, this.#clock.now(), this.#ago(unverified));
    await this.#objects.tidy();
    await this.#store.database.run(writeSetting, [sweptSetting, this.#ago(0).toISOString()]);
    if (Object.values(swept).some((count) => count > 0)) this.#log.info(swept, "swept");
    return swept;
  }

  /** Uploads that nothing took up in time. */
  async releaseExpired(): Promise<number> {
    const now = this.#clock.now();
    const rows = await this.#store.database.run(selectExpired, [now, this.#limit]);
    return this.#eachAccount(rows, async (tx, hashes) => {
      await releaseBlobs(tx, hashes);
      await tx.run(keepForGood, [tx.accountId, hashes, now]);
    });
  }

  /** References released long ago. Their objects become candidates before, so that none is forgotten. */
  async dropReleased(): Promise<number> {
    const { database } = this.#store;
    const until = this.#ago(released);
    const rows = await database.run(selectReleased, [until, this.#limit]);
    await markDead(database, rows, this.#clock.now());
    return this.#eachAccount(rows, async (tx, hashes) => {
      await tx.run(deleteReleased, [tx.accountId, hashes, until]);
    });
  }

  /** Objects that an account let go of. The hour lets the transactions end that made them candidates. */
  async removeDead(): Promise<number> {
    const { database } = this.#store;
    const known = this.#ago(hour);
    const rows = await database.run(selectDead, [this.#lastSettledDay(), known, this.#limit]);
    if (rows.length === 0) return 0;
    const held = await heldObjects(database, rows);
    const removed = await this.#remove(rows.filter((row) => !held.has(keyOf(row))));
    await database.run(deleteDead, [rows.map((row) => row.sha256), this.#lastSettledDay(), known]);
    return removed;
  }

  /**
   * Objects that no account ever held. Each day is looked through once, when it has settled; after a downtime, several
   * days in one run, until it has seen enough objects.
   */
  async removeOrphans(): Promise<number> {
    const { database } = this.#store;
    const last = this.#lastSettledDay();
    const examined = await lastExaminedDay(database);
    const days = (await this.#objects.days()).filter((name) => name > examined && name <= last);
    let [removed, seen] = [0, 0];
    for (const name of days) {
      if (seen >= batch) break;
      for await (const objects of inBatches(this.#objects.list(name))) {
        const held = await heldObjects(database, objects);
        removed += await this.#remove(objects.filter((object) => !held.has(keyOf(object))));
        seen += objects.length;
      }
      await database.run(writeSetting, [examinedSetting, name]);
    }
    return removed;
  }

  /** The change log and the memory of received messages and of networks, of the next few accounts. */
  async prune(): Promise<{ changes: number; received: number }> {
    const { database } = this.#store;
    const accounts = await database.run(selectAccounts, [this.#cursor, this.#limit]);
    this.#cursor = accounts.length < this.#limit ? 0 : accounts.at(-1)!.user_id;
    let [changes, received] = [0, 0];
    for (const { user_id: userId } of accounts) {
      changes += await this.#pruneChanges(userId);
      received += await database.count(deleteReceived, [userId, this.#ago(logged)]);
      await dropKnownNetworks(database, userId, this.#clock.now());
    }
    return { changes, received };
  }

  /** The newest rows of each type stay: they are its state. */
  async #pruneChanges(userId: number): Promise<number> {
    const until = this.#ago(logged);
    const old = await this.#store.database.run(selectOldChanges, [userId, Object.values(typeCodes), until, batch]);
    if (old.length === 0) return 0;
    return this.#write(userId, async (tx) => {
      let deleted = 0;
      for (const { type, modseq } of old) deleted += await tx.count(deleteChanges, [userId, type, modseq]);
      await tx.run(notePruned, [userId, Math.max(...old.map(({ modseq }) => modseq))]);
      return deleted;
    });
  }

  /** Runs `work` in each account on its hashes; how many there were. */
  async #eachAccount(
    rows: { user_id: number; sha256: Buffer }[],
    work: (tx: Tx, hashes: Buffer[]) => Promise<void>,
  ): Promise<number> {
    for (const [userId, own] of Map.groupBy(rows, (row) => row.user_id)) {
      const hashes = own.map((row) => row.sha256);
      await this.#write(userId, async (tx) => {
        await work(tx, hashes);
        return 0;
      });
    }
    return rows.length;
  }

  async #write(userId: number, work: (tx: Tx) => Promise<number>): Promise<number> {
    try {
      return await this.#store.write(userId, "server", work);
    } catch (error) {
      if (error instanceof AccountMissing) return 0;
      throw error;
    }
  }

  async #remove(keys: ObjectKey[]): Promise<number> {
    let removed = 0;
    for (const key of keys) if (await this.#objects.remove(key)) removed++;
    return removed;
  }

  #ago(milliseconds: number): Date {
    return new Date(this.#clock.now().getTime() - milliseconds);
  }

  #lastSettledDay(): string {
    return lastSettledDay(this.#clock.now());
  }
}

/** The newest day whose objects are all referenced by now, if they ever will be. */
export function lastSettledDay(now: Date): string {
  return new Date(now.getTime() - settled - day).toISOString().slice(0, 10);
}

/** Which of these objects an account or a message on its way holds, as "day/hex". */
export async function heldObjects(database: Database, keys: ObjectKey[]): Promise<Set<string>> {
  const hashes = keys.map(({ sha256 }) => sha256);
  // In this order: a delivery writes its references before its incoming row goes.
  const incoming = await database.run(selectIncoming, [hashes]);
  const references = await database.run(selectReferences, [hashes]);
  return new Set([...incoming, ...references].map(keyOf));
}

/** The bodies of mail on its way. */
export async function incomingObjects(database: Database): Promise<StoredBlob[]> {
  return database.run(selectAllIncoming);
}

/** Which of these objects, that nothing holds, a sweep has passed over: until one ran, none is overdue. */
export async function overdueObjects({ database, clock }: Store, unheld: ListedObject[]): Promise<ListedObject[]> {
  const examined = await lastExaminedDay(database);
  const old = unheld.filter((object) => object.day <= examined);
  if (old.length === 0) return [];
  // Sweeps take their time over a large account that was removed: what died lately has as long as what never lived.
  const swept = Date.parse((await findSetting(database, sweptSetting)) ?? "") || 0;
  const since = new Date(Math.min(swept, clock.now().getTime() - sweepInterval) - settled);
  const dying = new Set((await database.run(selectDying, [old.map(({ sha256 }) => sha256), since])).map(keyOf));
  return old.filter((object) => !dying.has(keyOf(object)));
}

/** The newest day whose objects a sweep has looked through; "" before the first. */
const lastExaminedDay = async (database: Database): Promise<string> =>
  (await findSetting(database, examinedSetting)) ?? "";

/** Moves fresh search terms from the index's pending list, which every search reads whole, to where they belong. */
export async function settleSearch(database: Database): Promise<void> {
  await database.run(cleanPending);
}

/** Makes objects candidates for removal; to be done before the reference goes. */
export async function markDead(
  database: Database,
  keys: ObjectKey[],
  now: Date,
  tell: (done: number) => void = () => {},
): Promise<void> {
  const unique = [...new Map(keys.map((key) => [keyOf(key), key])).values()];
  for (let start = 0; start < unique.length; start += batch) {
    tell(start);
    const some = unique.slice(start, start + batch);
    await database.run(insertDead, [some.map(({ sha256 }) => sha256), some.map((key) => key.day), now]);
  }
}

/** Every account there is. */
export async function accountIds(database: Database): Promise<number[]> {
  const ids: number[] = [];
  for (;;) {
    const rows = await database.run(selectAccounts, [ids.at(-1) ?? 0, batch]);
    ids.push(...rows.map((row) => row.user_id));
    if (rows.length < batch) return ids;
  }
}

/** How much mail waits: in, and recipients out. */
export async function queueDepths(database: Database): Promise<{ incoming: number; outgoing: number }> {
  const [incoming] = await database.run(countIncoming);
  const [outgoing] = await database.run(countOutgoing);
  return { incoming: incoming!.count, outgoing: outgoing!.count };
}

export function keyOf({ sha256, day: name }: ObjectKey): string {
  return `${name}/${sha256.toString("hex")}`;
}

export async function* inBatches(objects: AsyncIterable<ListedObject>): AsyncIterable<ListedObject[]> {
  let held: ListedObject[] = [];
  for await (const object of objects) {
    if (held.push(object) < batch) continue;
    yield held;
    held = [];
  }
  if (held.length > 0) yield held;
}

const examinedSetting = "objects_examined";
/** When the last run ended. */
const sweptSetting = "swept_at";
const writeSetting = statement(`
  INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`);

const selectExpired = across<{ user_id: number; sha256: Buffer }>(`
  SELECT user_id, sha256 FROM blob_ref WHERE expires_at IS NOT NULL AND expires_at <= $1 AND released_at IS NULL
  LIMIT $2`);
const keepForGood = statement(`
  UPDATE blob_ref SET expires_at = NULL
  WHERE user_id = $1 AND sha256 = ANY($2::bytea[]) AND expires_at <= $3 AND released_at IS NULL`);

const selectReleased = across<{ user_id: number; sha256: Buffer; day: string }>(`
  SELECT user_id, sha256, day FROM blob_ref
  WHERE released_at IS NOT NULL AND released_at <= $1 LIMIT $2`);
const deleteReleased = statement(
  "DELETE FROM blob_ref WHERE user_id = $1 AND sha256 = ANY($2::bytea[]) AND released_at <= $3",
);

const insertDead = across(`
  INSERT INTO dead_object (sha256, day, died_at) SELECT sha256, day, $3 FROM unnest($1::bytea[], $2::date[]) AS d (sha256, day)
  ON CONFLICT (sha256, day) DO UPDATE SET died_at = excluded.died_at`);
const selectDead = across<{ sha256: Buffer; day: string }>(`
  SELECT sha256, day FROM dead_object WHERE day <= $1::date AND died_at <= $2 LIMIT $3`);
const deleteDead = across(
  "DELETE FROM dead_object WHERE sha256 = ANY($1::bytea[]) AND day <= $2::date AND died_at <= $3",
);
const selectDying = across<{ sha256: Buffer; day: string }>(`
  SELECT sha256, day FROM dead_object WHERE sha256 = ANY($1::bytea[]) AND died_at > $2`);
const selectAllIncoming = across<{ sha256: Buffer; day: string; size: number }>(
  "SELECT sha256, day, size FROM incoming",
);
const selectIncoming = across<{ sha256: Buffer; day: string }>(
  "SELECT sha256, day FROM incoming WHERE sha256 = ANY($1::bytea[])",
);
const selectReferences = across<{ sha256: Buffer; day: string }>(
  "SELECT DISTINCT sha256, day FROM blob_ref WHERE sha256 = ANY($1::bytea[])",
);

const cleanPending = across("SELECT gin_clean_pending_list('search_terms'::regclass)");

const countIncoming = across<{ count: number }>("SELECT count(*) AS count FROM incoming");
const countOutgoing = across<{ count: number }>("SELECT count(*) AS count FROM delivery WHERE state = 'queued'");

const selectAccounts = across<{ user_id: number }>(
  "SELECT user_id FROM account WHERE user_id > $1 ORDER BY user_id LIMIT $2",
);
/** The oldest row decides whether any is looked at: the log is in order of time. */
const selectOldChanges = statement<{ type: number; modseq: number }>(`
  SELECT t.type, o.modseq FROM unnest($2::smallint[]) AS t (type), LATERAL (
    SELECT max(x.modseq) AS modseq FROM (
      SELECT c.modseq FROM change c
      WHERE c.user_id = $1 AND c.type = t.type AND c.changed_at <= $3
        AND (SELECT f.changed_at FROM change f WHERE f.user_id = $1 AND f.type = t.type ORDER BY f.modseq LIMIT 1) <= $3
        AND c.modseq < (SELECT max(n.modseq) FROM change n WHERE n.user_id = $1 AND n.type = t.type)
      ORDER BY c.modseq LIMIT $4) x) o
  WHERE o.modseq IS NOT NULL`);
const deleteChanges = statement("DELETE FROM change WHERE user_id = $1 AND type = $2 AND modseq <= $3");
const notePruned = statement("UPDATE account SET pruned_modseq = greatest(pruned_modseq, $2) WHERE user_id = $1");
const deleteReceived = statement("DELETE FROM received WHERE user_id = $1 AND received_at <= $2");
const deleteExpiredTokens = across("DELETE FROM token WHERE expires_at <= $1");
