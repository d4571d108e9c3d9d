import { sql } from "kysely";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { releaseBlobs } from "../blobs/blob-refs.ts";
import { checkInstallation } from "../blobs/installation.ts";
import { type ObjectStore, objectName } from "../blobs/objects/object-store.ts";
import { typeCodes } from "../core/change.ts";
import { across, type Row, read, unnamed, write } from "../core/declare.ts";
import { AccountMissing } from "../core/errors.ts";
import { everywhere, type ReadEverywhere, readEverywhere } from "../core/everywhere.ts";
import type { Given } from "../core/sql.ts";
import type { Store, Tx } from "../core/store.ts";
import { dropKnownNetworks } from "../directory/known-networks.ts";
import { dropEndedGrants } from "../directory/oauth-grants.ts";
import { dropExpiredTokens } from "../directory/tokens.ts";
import { deletedForMs, dropDeleted } from "../mail/deleted-emails.ts";
import { dropAttempts } from "../queues/attempts.ts";
import { dropBounces } from "../queues/bounces.ts";
import { dropGrey } from "../queues/greylist.ts";
import { dropJunkMarks } from "../queues/junk-marks.ts";
import { dropMailEvents } from "../queues/mail-log.ts";
import { expiredQuarantined, removeQuarantined } from "../queues/quarantine.ts";
import { dropReports } from "../queues/received-reports.ts";
import { dropSentHours, sentForMs } from "../queues/sent-hours.ts";
import { dropKeptDeliveries } from "../queues/submissions.ts";
import { dropTraffic } from "../queues/traffic.ts";
import { accountsAfter } from "./accounts.ts";
import { areBodiesHeld } from "./body-hold.ts";
import { batch, deadObjects, forgetDead, markDead } from "./dead-objects.ts";
import {
  examinedSetting,
  heldObjects,
  inBatches,
  lastExaminedDay,
  lastSettledDay,
  sweptSetting,
  writeSetting,
} from "./held-objects.ts";
import { tellJunkComplaints } from "./junk-complaints.ts";
import { MatchPrice } from "./match-price.ts";
import { removeExpiredPushes } from "./push-sweeps.ts";
import { compactPacks, type RemovalOptions, removeObjects } from "./remove-objects.ts";
import { dropRemovedAccounts } from "./removed-accounts.ts";

const hourMs = 3600_000;
const dayMs = 24 * hourMs;
/** How long a released reference may be revived. */
const releasedForMs = dayMs;
/** How long clients may catch up with /changes. */
const loggedForMs = 30 * dayMs;
/** How long bounces and complaints are listed and counted. */
const bouncesForMs = 90 * dayMs;
/** How long it is known to whom a destroyed submission went: a day more than a return path is valid. */
const deliveriesKeptForMs = 15 * dayMs;
/** How long reports of others are listed and summed up. */
const reportsForMs = 180 * dayMs;
/** How long a push subscription may stay unverified. */
const unverifiedForMs = dayMs;
/** How long a program that was allowed by OAuth may get no tokens; and how long the row of a code is kept that it did not redeem. */
const unusedForMs = 180 * dayMs;
const unredeemedForMs = dayMs;
/** How long infected mail is kept. */
const quarantinedForMs = 30 * dayMs;
const reference = ["userId", "sha256", "day", "pack"] as const;
const everybody = [
  across("sweeps what has expired in all accounts"),
  unnamed("runs rarely, so it is planned for the current data"),
];

const expiredUploads = everywhere(
  "blobRef",
  reference,
  read(
    "sweeps.expiredUploads",
    (db, $: { now: Date; limit: number }) =>
      db
        .selectFrom("blobRef")
        .select(reference)
        .where("expiresAt", "is not", null)
        .where("expiresAt", "<=", $.now)
        .where("releasedAt", "is", null)
        .limit($.limit),
    ...everybody,
  ),
);
const keepForGood = write("sweeps.keepForGood", (db, $: { accountId: number; hashes: readonly Buffer[]; now: Date }) =>
  db
    .updateTable("blobRef")
    .set({ expiresAt: null })
    .where("userId", "=", $.accountId)
    .where("sha256", "in", $.hashes)
    .where("expiresAt", "<=", $.now)
    .where("releasedAt", "is", null),
);

const releasedReferences = everywhere(
  "blobRef",
  reference,
  read(
    "sweeps.releasedReferences",
    (db, $: { until: Date; limit: number }) =>
      db
        .selectFrom("blobRef")
        .select(reference)
        .where("releasedAt", "is not", null)
        .where("releasedAt", "<=", $.until)
        .limit($.limit),
    ...everybody,
  ),
);
type Released = { accountId: number; hashes: readonly Buffer[]; until: Date };
/** Destroyed emails may keep bodies for longer than was known when they were released. */
const putOffReferences = write("sweeps.putOffReferences", (db, $: Released & { later: Date }) =>
  db
    .updateTable("blobRef as r")
    .set({ releasedAt: $.later })
    .where("r.userId", "=", $.accountId)
    .where("r.sha256", "in", $.hashes)
    .where("r.releasedAt", "<=", $.until)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("deletedEmail as d")
          .select("d.id")
          .where("d.userId", "=", $.accountId)
          .whereRef("d.sha256", "=", "r.sha256"),
      ),
    ),
);
const dropReferences = write("sweeps.dropReferences", (db, $: Released) =>
  db
    .deleteFrom("blobRef")
    .where("userId", "=", $.accountId)
    .where("sha256", "in", $.hashes)
    .where("releasedAt", "<=", $.until),
);

/** Looks at a log only if its oldest row has expired, since the log is in order of time. */
const oldChanges = read(
  "sweeps.oldChanges",
  (_, $: { accountId: number; types: readonly number[]; until: Date; limit: number }) => sql<
    Row<"change", "type" | "modseq">
  >`
  SELECT t.type, o.modseq FROM unnest(${$.types}::smallint[]) AS t (type), LATERAL (
    SELECT max(x.modseq) AS modseq FROM (
      SELECT c.modseq FROM change c
      WHERE c.user_id = ${$.accountId} AND c.type = t.type AND c.changed_at <= ${$.until}
        AND (SELECT f.changed_at FROM change f WHERE f.user_id = ${$.accountId} AND f.type = t.type
          ORDER BY f.modseq LIMIT 1) <= ${$.until}
        AND c.modseq < (SELECT max(n.modseq) FROM change n WHERE n.user_id = ${$.accountId} AND n.type = t.type)
      ORDER BY c.modseq LIMIT ${$.limit}) x) o
  WHERE o.modseq IS NOT NULL`,
);
const dropChanges = write("sweeps.dropChanges", (db, $: { accountId: number } & Row<"change", "type" | "modseq">) =>
  db.deleteFrom("change").where("userId", "=", $.accountId).where("type", "=", $.type).where("modseq", "<=", $.modseq),
);
const notePruned = write("sweeps.notePruned", (db, $: { accountId: number; modseq: number }) =>
  db
    .updateTable("account")
    .set({ prunedModseq: sql<number>`greatest(pruned_modseq, ${$.modseq})` })
    .where("userId", "=", $.accountId),
);
const dropReceived = write("sweeps.dropReceived", (db, $: { accountId: number; until: Date }) =>
  db.deleteFrom("received").where("userId", "=", $.accountId).where("receivedAt", "<=", $.until),
);
/** How much one run removed. */
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
  /** How long the steps of mails and the attempts to send them are kept. (Default: 30 days) */
  mailLogForMs?: number;
  /** How long destroyed emails and removed accounts may come back. (Default: 30 days) */
  keepDeletedForMs?: number;
  /** Judges the sender once complaints were added, in their transaction. (Default: nobody is judged) */
  judge?: (tx: Tx) => Promise<void>;
  /** Further steps, by name. */
  more?: Record<string, () => Promise<unknown>>;
  /** How many rows of a kind, and how many accounts, one run handles. (Default: 2000) */
  limit?: number;
}

/** Removes what has expired. Any number of processes may run it, beside any writer. */
export class Sweeper {
  readonly #parts: RemovalOptions;
  readonly #store: Store;
  readonly #objects: ObjectStore;
  readonly #log: Log;
  readonly #limit: number;
  readonly #mailLogForMs: number;
  readonly #keepDeletedForMs: number;
  readonly #judge: (tx: Tx) => Promise<void>;
  readonly #more: Record<string, () => Promise<unknown>>;
  readonly #clock: Clock;
  readonly #price: MatchPrice;
  /** The account whose log was pruned last. */
  #cursor = 0;
  /** Expired credentials open nothing, so their rows are looked for once an hour. */
  #credentialsAt = new Date(0);

  constructor(options: SweeperOptions) {
    const { store, objects, log, limit = 2000, mailLogForMs = loggedForMs, judge, more } = options;
    this.#parts = { store, objects, log };
    this.#store = store;
    this.#objects = objects;
    this.#log = log;
    this.#limit = limit;
    this.#mailLogForMs = mailLogForMs;
    this.#keepDeletedForMs = options.keepDeletedForMs ?? deletedForMs;
    this.#judge = judge ?? (async () => {});
    this.#more = more ?? {};
    this.#clock = store.clock;
    this.#price = new MatchPrice(store.database, log);
  }

  /**
   * One step that fails, as when a node does not answer, keeps no other from running. Throws StrangeBodies before it has
   * removed anything if the bodies are not those of the database.
   */
  async run(): Promise<Swept> {
    const { database } = this.#store;
    await checkInstallation(database, this.#objects);
    const swept: Swept = { uploads: 0, references: 0, objects: 0, changes: 0, received: 0 };
    let held: Promise<boolean> | undefined;
    // Nothing removes bodies while a backup lists them. Asked when the first would be removed.
    const unlessHeld = (work: () => Promise<unknown>) => async () => {
      held ??= areBodiesHeld(database, this.#clock.now());
      return (await held) ? undefined : work();
    };
    const steps: Record<string, () => Promise<unknown>> = {
      uploads: async () => ({ uploads: await this.releaseExpired() }),
      references: async () => ({ references: await this.dropReleased() }),
      "dead objects": unlessHeld(async () => ({ objects: await this.removeDead() })),
      packs: unlessHeld(async () => ({ objects: swept.objects + (await this.compactPacks()) })),
      orphans: unlessHeld(async () => ({ objects: swept.objects + (await this.removeOrphans()) })),
      accounts: () => this.prune(),
      "received reports": async () => void (await dropReports(database, this.#ago(reportsForMs))),
      "mail log": async () => void (await dropMailEvents(database, this.#ago(this.#mailLogForMs))),
      traffic: async () => void (await dropTraffic(database, this.#ago(dayMs))),
      greylist: () => dropGrey(database, this.#clock.now(), this.#limit),
      "junk marks": () => tellJunkComplaints(this.#store, this.#log, this.#limit, this.#judge),
      credentials: () => this.#dropCredentials(),
      quarantine: () => this.#dropQuarantined(),
      "removed accounts": () => dropRemovedAccounts(this.#store, this.#ago(this.#keepDeletedForMs)),
      "price of @@": () => this.#price.keep(),
      files: () => this.#objects.tidy(),
      ...this.#more,
    };
    let isWhole = true;
    for (const [step, work] of Object.entries(steps)) {
      try {
        Object.assign(swept, await work());
      } catch (error) {
        isWhole = false;
        this.#log.error({ step, reason: (error as Error).message }, "sweep failed");
      }
    }
    if (isWhole) await database.run(writeSetting, { name: sweptSetting, value: this.#ago(0).toISOString() });
    if (Object.values(swept).some((count) => count > 0)) this.#log.info(swept, "swept");
    return swept;
  }

  async #dropCredentials(): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#credentialsAt) return;
    await dropExpiredTokens(this.#store.database, this.#log, this.#ago(loggedForMs));
    const until = { codeUntil: this.#ago(unredeemedForMs), usedUntil: this.#ago(unusedForMs) };
    await dropEndedGrants(this.#store.database, this.#log, until);
    await removeExpiredPushes(this.#store.database, this.#log, { now, unverifiedSince: this.#ago(unverifiedForMs) });
    this.#credentialsAt = new Date(now.getTime() + hourMs);
  }

  /** Marks their objects first, so that none is missed. */
  async #dropQuarantined(): Promise<void> {
    const { database } = this.#store;
    const rows = await expiredQuarantined(database, this.#ago(quarantinedForMs), this.#limit);
    if (rows.length === 0) return;
    await markDead(database, rows, this.#clock.now());
    for (const { id } of rows) await removeQuarantined(database, id);
  }

  /** Releases expired uploads, and keeps those for good that something holds. */
  async releaseExpired(): Promise<number> {
    const now = this.#clock.now();
    const rows = await this.#find(expiredUploads, { now, limit: this.#limit });
    return this.#eachAccount(rows, async (tx, hashes) => {
      await releaseBlobs(tx, hashes);
      await tx.run(keepForGood, { accountId: tx.accountId, hashes, now });
    });
  }

  /** Deletes references released long ago. Marks their objects as candidates first, so that none is missed. */
  async dropReleased(): Promise<number> {
    const { database } = this.#store;
    const until = this.#ago(releasedForMs);
    const rows = await this.#find(releasedReferences, { until, limit: this.#limit });
    await markDead(database, rows, this.#clock.now());
    return this.#eachAccount(rows, async (tx, hashes) => {
      const { accountId, now } = tx;
      tx.send(putOffReferences, { accountId, hashes, until, later: new Date(now.getTime() + deletedForMs) });
      await tx.run(dropReferences, { accountId, hashes, until });
    });
  }

  /** Removes candidates that nothing holds, once the transactions that made them candidates have ended (an hour). */
  async removeDead(): Promise<number> {
    const { database } = this.#store;
    const died = { lastDay: this.#lastSettledDay(), until: this.#ago(hourMs) };
    const rows = await database.run(deadObjects, { ...died, limit: this.#limit });
    if (rows.length === 0) return 0;
    const held = await heldObjects(database, rows);
    const removed = await removeObjects(
      this.#parts,
      rows.filter((row) => !held.has(objectName(row))),
    );
    await database.run(forgetDead, { ...died, hashes: rows.map((row) => row.sha256) });
    return removed;
  }

  /** Removes candidates in packs, likewise. */
  compactPacks(): Promise<number> {
    return compactPacks(this.#parts, this.#limit);
  }

  /**
   * Removes objects that no account ever held. Each day is examined once, when it has settled; after a downtime one run
   * examines several days, up to a number of objects.
   */
  async removeOrphans(): Promise<number> {
    const { database } = this.#store;
    const last = this.#lastSettledDay();
    const examined = await lastExaminedDay(database);
    // On S3, the names of the days take thousands of requests.
    if (examined >= last) return 0;
    const days = (await this.#objects.days()).filter((name) => name > examined && name <= last);
    let [removed, seen] = [0, 0];
    // Days must not wait for a pack that nobody can mend.
    const told = ({ message }: Error) =>
      this.#log.error({ reason: message }, "bodies in damaged packs were not examined");
    for (const name of days) {
      if (seen >= batch) return removed;
      for await (const objects of inBatches(this.#objects.list(name), told)) {
        const held = await heldObjects(database, objects);
        removed += await removeObjects(
          this.#parts,
          objects.filter((object) => !held.has(objectName(object))),
        );
        seen += objects.length;
      }
      await database.run(writeSetting, { name: examinedSetting, value: name });
    }
    await database.run(writeSetting, { name: examinedSetting, value: last });
    return removed;
  }

  /** Prunes the change logs, received messages, destroyed emails, attempts to send, known networks, bounces, kept deliveries and counts of the next few accounts. */
  async prune(): Promise<{ changes: number; received: number }> {
    const { database } = this.#store;
    const ids = await accountsAfter(database, this.#log, { after: this.#cursor, limit: this.#limit });
    this.#cursor = ids.length < this.#limit ? 0 : ids.at(-1)!;
    let [changes, received] = [0, 0];
    for (const accountId of ids) {
      await this.#alone(accountId, async () => {
        changes += await this.#pruneChanges(accountId);
        received += await database.count(dropReceived, { accountId, until: this.#ago(loggedForMs) });
        await dropAttempts(database, accountId, this.#ago(this.#mailLogForMs));
        await dropKnownNetworks(database, accountId, this.#clock.now());
        await dropBounces(database, accountId, this.#ago(bouncesForMs));
        await dropKeptDeliveries(database, accountId, this.#ago(deliveriesKeptForMs));
        await dropJunkMarks(database, accountId, this.#ago(bouncesForMs));
        await dropSentHours(database, accountId, this.#ago(sentForMs));
        await dropDeleted(database, accountId, { until: this.#ago(this.#keepDeletedForMs), now: this.#clock.now() });
      });
    }
    return { changes, received };
  }

  /** Keeps the newest rows of each type, which are its state. */
  async #pruneChanges(userId: number): Promise<number> {
    const wanted = { accountId: userId, types: Object.values(typeCodes), until: this.#ago(loggedForMs), limit: batch };
    const old = await this.#store.database.run(oldChanges, wanted);
    if (old.length === 0) return 0;
    return this.#write(userId, async (tx) => {
      let deleted = 0;
      for (const { type, modseq } of old) deleted += await tx.count(dropChanges, { accountId: userId, type, modseq });
      await tx.run(notePruned, { accountId: userId, modseq: Math.max(...old.map(({ modseq }) => modseq)) });
      return deleted;
    });
  }

  async #find<Found, P>(read: ReadEverywhere<Found, P>, ...values: Given<P>): Promise<Found[]> {
    return (await readEverywhere(this.#store.database, this.#log, read, ...values)).rows.slice(0, this.#limit);
  }

  /** The node of an account may be down: the accounts of others are seen to all the same. */
  async #alone(account: number, work: () => Promise<void>): Promise<void> {
    await work().catch((error: Error) => this.#log.warn({ account, reason: error.message }, "account not swept"));
  }

  /** Runs `work` in each account on its hashes; returns the number of rows of those where it was done. */
  async #eachAccount(
    rows: Row<"blobRef", "userId" | "sha256">[],
    work: (tx: Tx, hashes: Buffer[]) => Promise<void>,
  ): Promise<number> {
    let done = 0;
    for (const [userId, own] of Map.groupBy(rows, (row) => row.userId)) {
      const hashes = own.map((row) => row.sha256);
      await this.#alone(userId, async () => {
        done += await this.#write(userId, async (tx) => {
          await work(tx, hashes);
          return own.length;
        });
      });
    }
    return done;
  }

  async #write(userId: number, work: (tx: Tx) => Promise<number>): Promise<number> {
    try {
      return await this.#store.write(userId, "server", work);
    } catch (error) {
      if (error instanceof AccountMissing) return 0;
      throw error;
    }
  }

  #ago(milliseconds: number): Date {
    return new Date(this.#clock.now().getTime() - milliseconds);
  }

  #lastSettledDay(): string {
    return lastSettledDay(this.#clock.now());
  }
}
