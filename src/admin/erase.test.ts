import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { createTestBlobs } from "../../test/support/mail.ts";
import { createTestStore } from "../../test/support/postgres.ts";
import { linkTo, startRedis, up } from "../../test/support/redis.ts";
import { whyNoRedis } from "../../test/support/redis-server.ts";
import { objectsIn, startStrict } from "../../test/support/s3/bucket.ts";
import { bucketOf } from "../../test/support/s3/place.ts";
import { silentEvents } from "../base/events.ts";
import { silentLog } from "../base/log.ts";
import { Ingest } from "../mail/deliver/ingest.ts";
import { prepareMessage } from "../mail/deliver/prepare.ts";
import { findInRedis } from "../redis/remains.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import { createRedisCache, forgetBodies } from "../store/blobs/redis-cache.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { destroyEmails, findEmails } from "../store/mail/emails.ts";
import { Sweeper } from "../store/upkeep/sweeps.ts";
import { addAccount, removeAccount } from "./accounts.ts";
import { addAddress } from "./addresses.ts";
import type { Admin } from "./admin.ts";
import { eraseAccount, previewErasure } from "./erase.ts";
import { addSuppression } from "./feedback.ts";
import { maskAddress } from "./masked-addresses.ts";
import { addToken } from "./tokens.ts";

const day = 24 * 3600_000;
let now = Date.now();
const clock = { now: () => new Date(now) };
const mark = "planted0mark";
const words = "zebrafink";
const ann = `${mark}@marks.example`;
const bob = "bob@marks.example";

const kinds = { disk: async () => createTestBlobs().objects, s3: async () => objectsIn(bucketOf(await startStrict())) };

describe.each(["disk", "s3"] as const)("with bodies in %s", (kind) => {
  let store: Store;
  let admin: Admin;
  let objects: ObjectStore;
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  let cache: {
    forget: (hashes: readonly Buffer[]) => Promise<boolean>;
    find: (texts: readonly Buffer[]) => Promise<string[]>;
  };
  let blobs: Blobs;
  let annId: number;
  let bobId: number;

  beforeAll(async () => {
    redis = whyNoRedis ? undefined : await startRedis();
  });
  beforeEach(async () => {
    now = Date.now();
    store = await createTestStore({ clock });
    admin = testAdmin(store);
    objects = await kinds[kind]();
    redis?.cli("flushall");
    const link = redis && (await up(linkTo(redis, { maxWaitMs: 5_000 })));
    cache = {
      forget: async (hashes) => (link ? forgetBodies(link, hashes) : true),
      find: async (texts) => (link ? findInRedis(link, texts) : []),
    };
    const shared = link && { sharedCache: createRedisCache({ link, clock, log: silentLog }) };
    blobs = new Blobs({ objects, clock, cacheBytes: 0, events: silentEvents, ...shared });
    const add = async (address: string) =>
      (await addAccount(admin, { address, name: "", password: "sesame", quota: 0 })).userId;
    [annId, bobId] = [await add(ann), await add(bob)];
    await plant();
  });

  const run = (text: string, values: unknown[] = []) =>
    store.database.run(unprepared(`/* test */ -- crosses accounts\n${text}`), values);

  async function put(account: number, bytes: Buffer): Promise<number> {
    const blob = await blobs.putTogether(bytes);
    const outcome = await new Ingest(store).add(account, {
      ...{ blob, prepared: prepareMessage(bytes), target: { role: "inbox" }, keywords: [], receivedAt: clock.now() },
    });
    return "email" in outcome ? outcome.email.id : 0;
  }
  const message = (text: string) =>
    Buffer.from(`From: <${ann}>\r\nSubject: ${text} ${words}\r\n\r\n${words} ${text}\r\n`);
  const common = Buffer.from("Subject: for both\r\n\r\nto everybody\r\n");

  /** Traces of Ann wherever the server keeps any. */
  async function plant(): Promise<void> {
    now -= 6 * day;
    await put(annId, message("old"));
    await put(annId, common);
    await put(bobId, common);
    const gone = await put(annId, message("gone"));
    await store.write(annId, "server", async (tx) => destroyEmails(tx, await findEmails(tx, [gone])));
    now += 6 * day;
    await put(annId, message("new"));
    await addAddress(admin, `also-${mark}@marks.example`, ann);
    await maskAddress(admin, ann, "shop");
    await addToken(admin, ann, { label: mark, days: undefined });
    for (const account of [bob, undefined]) await addSuppression(admin, ann, { account, reason: "550 5.1.1" });
    const events = `INSERT INTO mail_event (mail_id, at, event, message_id, addresses, fields)
      VALUES (1, now(), 'mail in', 'x@far.test', $1, $2)`;
    await run(events, [
      JSON.stringify(["x@far.test", ann]),
      JSON.stringify({ to: [ann], from: `jo${ann}`, note: `for <${ann}>.` }),
    ]);
    const body = await blobs.put(message("waiting"));
    const waits = (table: string, more: string, values: string) => async (id: number, recipients: object[]) =>
      run(
        `INSERT INTO ${table} (id, created_at, sha256, day, size, mail_from, recipients${more})
         VALUES ($1, now(), $2, $3, $4, 'x@far.test', $5${values})`,
        [id, body.sha256, body.day, body.size, JSON.stringify(recipients)],
      );
    const both = [
      { address: ann, userId: annId, done: false },
      { address: bob, userId: bobId, done: false },
    ];
    const incoming = waits("incoming", ", leased_by, leased_until", ", '', '2100-01-01'");
    await incoming(1, both);
    await incoming(2, [both[0]!]);
    const quarantined = waits("quarantine", ", virus", ", 'Eicar'");
    await quarantined(3, both);
    await quarantined(4, [both[0]!]);
  }

  /** Where the marks are, by reading all that there is. */
  async function found(): Promise<string[]> {
    const places: string[] = [];
    const marks = [mark, words, Buffer.from(mark).toString("hex"), Buffer.from(words).toString("hex")];
    const tables = await run(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
    );
    for (const { name } of tables as { name: string }[]) {
      for (const { row } of (await run(`SELECT t::text AS row FROM ${name} t`)) as { row: string }[]) {
        if (marks.some((one) => row.includes(one))) places.push(`${name}: ${row}`);
      }
    }
    for await (const object of objects.list()) {
      const bytes = await objects.read(object, 0, object.size);
      if (bytes && [mark, words].some((one) => bytes.includes(one))) places.push(`body of ${object.day}`);
    }
    for (const key of redis?.cli("keys", "*").split("\n") ?? []) {
      if (key !== "" && [mark, words].some((one) => redis!.cli("get", key).includes(one))) places.push(`redis ${key}`);
    }
    return places;
  }

  const means = (more: object = {}) => ({ objects, cache, log: silentLog, ...more });
  const erase = (more: object = {}) => eraseAccount(admin, means(more), { text: ann, prove: true });

  /** Sweeps what may not go at once. */
  async function sweepForDays(): Promise<void> {
    for (const end = now + 10 * day; now < end; now += day) {
      await new Sweeper({ store, objects, log: silentLog }).run();
    }
  }

  test("nothing in the database, among the bodies and in Redis names an erased account", async () => {
    expect((await found()).length).toBeGreaterThan(10);
    const preview = await previewErasure(admin, ann);
    expect(preview).toMatchObject({ login: ann, emails: 3 });
    const { left, waiting, until, ...erased } = await erase();
    expect(erased).toMatchObject({ login: ann, userId: annId, isCacheClean: true });
    expect(waiting).toBeGreaterThan(0);
    expect(until!.getTime()).toBeGreaterThan(now);
    expect(left!.filter(({ why }) => why === null)).toEqual([]);
    // All that is left is bodies of these days; mail for both still waits for Bob.
    // Somebody else's address; and chains of the audit, in which an operator's act named her.
    const isOther = (place: string) =>
      /^audit/.test(place) || (/^mail_event/.test(place) && place.includes(`jo${ann}`));
    expect((await found()).filter((place) => !isOther(place) && !place.startsWith("body"))).toEqual([]);
    expect(await run("SELECT id FROM incoming UNION ALL SELECT id FROM quarantine ORDER BY 1")).toEqual([
      { id: 1 },
      { id: 3 },
    ]);
    await run("DELETE FROM incoming");
    await run("DELETE FROM quarantine");
    await sweepForDays();
    expect((await found()).filter((place) => !isOther(place))).toEqual([]);
    const [row] = await run("SELECT r.sha256, r.day, r.size, r.pack FROM blob_ref r WHERE user_id = $1 LIMIT 1", [
      bobId,
    ]);
    expect((await objects.read(row as never, 0, common.length))?.equals(common)).toBe(true);
    expect(await run("SELECT what FROM audit WHERE user_id = 0 ORDER BY seq DESC LIMIT 1")).toEqual([
      { what: { act: "account.erase", account: annId } },
    ]);
  }, 30_000);

  test("killed anywhere, it is run again; what proves finds what was planted", async () => {
    const told = ["taking it out", "emptying", "removing", "looking in"];
    await removeAccount(admin, ann);
    for (const at of told) {
      const tell = (text: string) => {
        if (text.startsWith(at)) throw new Error("killed");
      };
      await expect(erase({ tell })).rejects.toThrow("killed");
    }
    await run("INSERT INTO general_suppression (address, reason, since) VALUES ('x@far.test', $1, now())", [
      `for ${ann}`,
    ]);
    const { left } = await erase();
    expect(left!.filter(({ why }) => why === null)).toEqual([
      { where: "general_suppression.reason", count: 1, why: null },
    ]);
    await expect(erase()).rejects.toThrow("noAccount");
  }, 30_000);
});
