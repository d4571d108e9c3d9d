import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import type { Holder } from "../src/base/holder.ts";
import type { Log } from "../src/base/log.ts";
import { sweepQueue } from "../src/smtp/outbound/sweep.ts";
import { referenceBlob } from "../src/store/blobs/blob-refs.ts";
import { checkInstallation } from "../src/store/blobs/installation.ts";
import { DiskObjects } from "../src/store/blobs/objects/disk.ts";
import { unprepared } from "../src/store/core/sql.ts";
import type { Store } from "../src/store/core/store.ts";
import { claimPushes } from "../src/store/upkeep/push-sweeps.ts";
import { Sweeper } from "../src/store/upkeep/sweeps.ts";
import { afterwards } from "./support/afterwards.ts";
import { isOnCitus } from "./support/citus.ts";
import { createTestAccount, createTestStore } from "./support/postgres.ts";

/** Sweeps see to the accounts of the nodes that answer while another does not. */
const warnings: { fields: object; event: string }[] = [];
const note = (fields: object, event: string) => void warnings.push({ fields, event });
const log: Log = { debug: () => {}, info: () => {}, warn: note, error: note };
const folder = mkdtempSync(join(tmpdir(), "posthorn-dead-node-"));
afterwards(() => rmSync(folder, { recursive: true }));
let store: Store;
let living: number;
let lost: number;
let lostPort: number;

const run = (text: string, values: unknown[] = []) =>
  store.database.run(unprepared<Record<string, unknown>>(`/* test */ ${text}`), values);

async function portOf(account: number): Promise<number> {
  const [row] = await run(
    `SELECT n.nodeport FROM pg_dist_placement p JOIN pg_dist_node n ON n.groupid = p.groupid
     WHERE p.shardid = get_shard_id_for_distribution_column('account', $1::bigint)`,
    [account],
  );
  return row!.nodeport as number;
}

/** Nobody listens on port 1: to the coordinator the node is dead. */
const die = () => run("UPDATE pg_dist_node SET nodeport = 1 WHERE nodeport = $1", [lostPort]);
const revive = () => run("UPDATE pg_dist_node SET nodeport = $1 WHERE nodeport = 1", [lostPort]);

describe.runIf(isOnCitus)("while a node is dead", () => {
  beforeAll(async () => {
    store = await createTestStore({ log });
    living = await createTestAccount(store);
    const port = await portOf(living);
    do {
      lost = await createTestAccount(store);
      lostPort = await portOf(lost);
    } while (lostPort === port);
  });
  beforeEach(() => {
    warnings.length = 0;
    return async () => void (await revive());
  });

  /** A submission whose only recipient is waiting, or was sent to with an outcome that is only noted. */
  async function submit(account: number, id: number, delivery: { state: string; leasedBy: string | null }) {
    await run(
      `INSERT INTO submission (user_id, id, identity_id, email_id, thread_id, envelope, sha256, send_at, undo_status, created_at)
       VALUES ($1, $2, 1, 1, 1, '{"mailFrom": {"email": "a@b.test"}, "rcptTo": []}', '', now(), 'pending', now())`,
      [account, id],
    );
    const until = new Date(Date.now() + 60_000);
    await run(
      `INSERT INTO delivery (user_id, submission_id, no, rcpt_to, state, next_attempt_at, smtp_reply, delivered, displayed,
         leased_by, leased_until)
       VALUES ($1, $2, 0, 'c@d.test', $3, $4, '', 'queued', 'unknown', $5, $6)`,
      [account, id, delivery.state, new Date(Date.now() - 60_000), delivery.leasedBy, delivery.leasedBy && until],
    );
  }

  test("lost hints are restored, leases of dead processes freed and noted outcomes logged elsewhere", async () => {
    for (const account of [living, lost]) {
      await submit(account, 1, { state: "queued", leasedBy: null });
      await submit(account, 2, { state: "queued", leasedBy: "dead" });
      await submit(account, 3, { state: "sent", leasedBy: "dead" });
    }
    const holder: Holder = { name: "alive", isGone: (name) => name === "dead" };
    const sweep = () => sweepQueue({ store, clock: systemClock, holder, log }, () => false);
    const hints = async () =>
      (await run("SELECT user_id, submission_id FROM due ORDER BY 1, 2")).map((row) => Object.values(row));
    const leases = (account: number) =>
      run("SELECT submission_id AS id FROM delivery WHERE user_id = $1 AND leased_by IS NOT NULL", [account]);
    await die();
    await sweep();
    expect(await hints()).toEqual([1, 2].map((id) => [living, id]));
    expect(await leases(living)).toEqual([]);
    expect(warnings).toContainEqual({
      fields: { node: "127.0.0.1:1", table: "delivery", reason: expect.stringContaining("127.0.0.1:1") },
      event: "a node did not answer",
    });
    await revive();
    expect(await leases(lost)).toHaveLength(2);
    await sweep();
    expect(await hints()).toHaveLength(4);
    expect(await leases(lost)).toEqual([]);
  });

  test("uploads expire elsewhere, and the run does not count as a whole one", async () => {
    const blob = { sha256: createHash("sha256").update("x").digest(), day: "2026-01-01", size: 1 };
    for (const account of [living, lost])
      await store.write(account, "server", (tx) => referenceBlob(tx, blob, { expiresAt: new Date(0) }));
    const objects = new DiskObjects({ folder, clock: systemClock, random: randomBytes });
    const sweeper = new Sweeper({ store, objects, log });
    // As the start of a server does, which needs all nodes the first time.
    await checkInstallation(store.database, objects);
    const released = async (account: number) =>
      (await run("SELECT released_at IS NOT NULL AS released FROM blob_ref WHERE user_id = $1", [account]))[0]!
        .released;
    const swept = () => run("SELECT value FROM setting WHERE name = 'swept_at'");
    await die();
    expect(await sweeper.run()).toMatchObject({ uploads: 1 });
    expect(await released(living)).toBe(true);
    await revive();
    expect(await released(lost)).toBe(false);
    expect(await swept()).toEqual([]);
    expect(await sweeper.run()).toMatchObject({ uploads: 1 });
    expect(await released(lost)).toBe(true);
    expect(await swept()).toHaveLength(1);
  });

  test("push subscriptions of a dead process are taken over elsewhere", async () => {
    for (const account of [living, lost]) {
      await run(
        `INSERT INTO push_subscription (user_id, login, id, credential, device_client_id, url, verification_code, created_at, holder)
         VALUES ($1, 'a', 1, 'password', 'd', 'https://push.test/', 'c', now(), 'dead')`,
        [account],
      );
    }
    const claim = async () => {
      const taken: number[] = [];
      const names = { holder: "alive", living: ["alive"] };
      const isDone = await claimPushes(store.database, log, names, ({ userId }) => void taken.push(userId));
      return { isDone, taken };
    };
    await die();
    expect(await claim()).toEqual({ isDone: false, taken: [living] });
    await revive();
    expect(await claim()).toEqual({ isDone: true, taken: [lost] });
  });
});
