import { createHash } from "node:crypto";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { auditHash } from "../store/directory/audit.ts";
import type { Admin } from "./admin.ts";
import { readAudit, verifyAudit } from "./audit.ts";
import { setQuota } from "./quota.ts";

let store: Store;
let admin: Admin;
let ann: string;
let annId: number;
let count = 0;

beforeAll(async () => {
  store = await createTestStore();
  admin = testAdmin(store);
});
beforeEach(async () => {
  ann = `ann${++count}@audit.example`;
  annId = await createTestAccount(store, ann);
  for (let limit = 1; limit <= 5; limit++) await setQuota(admin, ann, limit);
});

const tamper = (text: string) => store.database.run(unprepared(`/* test */ ${text} AND user_id = $1`), [annId]);

test("a chain is read newest first, page by page", async () => {
  const seqs = async (before?: number) => {
    const { rows, older } = await readAudit(admin, ann, { before, limit: 2 });
    return [rows.map(({ seq }) => seq), older];
  };
  expect(await seqs()).toEqual([[5, 4], 4]);
  expect(await seqs(4)).toEqual([[3, 2], 2]);
  expect(await seqs(2)).toEqual([[1], undefined]);
  expect(await readAudit(admin, ann, { limit: 5 })).toMatchObject({ older: undefined });
});

test("an unchanged chain is sound", async () => {
  const { rows } = await readAudit(admin, ann, { limit: 1 });
  expect(await verifyAudit(admin, ann)).toEqual({ sound: 5, hash: rows[0]!.hash });
  const bare = `bare@audit${count}.example`;
  await createTestAccount(store, bare);
  expect(await verifyAudit(admin, bare)).toEqual({ sound: 0, hash: Buffer.alloc(32) });
});

test("others can compute a row's hash from what the audit shows", async () => {
  const { rows } = await readAudit(admin, ann, { limit: 1 });
  const [{ at, prev, hash }] = rows as [(typeof rows)[number]];
  const text = `{"at":"${at.toISOString()}","seq":5,"user_id":${annId},"what":{"act":"account.quota","limit":5},"who":"test"}`;
  expect(createHash("sha256").update(prev).update(text).digest()).toEqual(hash);
});

test.each([
  ["what", `UPDATE audit SET what = what || '{"limit": 77}' WHERE seq = 3`, { seq: 3, problem: "changed" }],
  ["who", "UPDATE audit SET who = 'somebody' WHERE seq = 3", { seq: 3, problem: "changed" }],
  ["when", "UPDATE audit SET at = '2026-01-31T09:30:00Z' WHERE seq = 3", { seq: 3, problem: "changed" }],
  ["a row taken out", "DELETE FROM audit WHERE seq = 3", { seq: 3, problem: "missing" }],
  ["the first taken out", "DELETE FROM audit WHERE seq = 1", { seq: 1, problem: "missing" }],
])("what was changed is found: %s", async (_, text, broken) => {
  await tamper(text);
  expect(await verifyAudit(admin, ann)).toMatchObject({ sound: broken.seq - 1, broken });
});

test("a row that was rewritten with a valid hash is detected at the next row", async () => {
  const { rows } = await readAudit(admin, ann, { limit: 5 });
  const forged = { ...rows.find(({ seq }) => seq === 3)!, who: "somebody" };
  await store.database.run(
    unprepared("/* test */ UPDATE audit SET who = $2, hash = $3 WHERE user_id = $1 AND seq = 3"),
    [annId, forged.who, auditHash(forged)],
  );
  expect(await verifyAudit(admin, ann)).toMatchObject({ sound: 3, broken: { seq: 4, problem: "detached" } });
});

test("a row inserted before the first is detected", async () => {
  const { rows } = await readAudit(admin, ann, { before: 2, limit: 1 });
  const early = { ...rows[0]!, seq: 0 };
  await store.database.run(
    unprepared("/* test */ UPDATE audit SET seq = 0, hash = $2 WHERE user_id = $1 AND seq = 1"),
    [annId, auditHash(early)],
  );
  expect(await verifyAudit(admin, ann)).toMatchObject({ sound: 0, broken: { seq: 0, problem: "detached" } });
});
