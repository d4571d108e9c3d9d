import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { createMailServices } from "../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { ExportJobs } from "../admin/export/jobs.ts";
import { silentLog } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import type { Tx } from "../store/core/store.ts";
import { addDataExport, leaseDataExport, noteProgress } from "../store/mail/data-exports.ts";
import { startExports } from "./export-jobs.ts";
import type { Parts } from "./parts.ts";

test("an export that is asked for is looked for, once for several; its progress makes nobody look", async () => {
  const store = await createTestStore();
  const account = await createTestAccount(store);
  const { blobs } = createMailServices(store);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const run = vi.spyOn(ExportJobs.prototype, "run").mockReturnValue(held);
  const asked = vi.spyOn(ExportJobs.prototype, "isAsked");
  const parts = { store, blobs, surroundings: { log: silentLog } } as unknown as Parts;
  const stop = startExports({ data: tmpdir() } as Config, parts);
  /** Resolves once it is decided what a write led to. */
  const write = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const result = await store.write(account, "server", work);
    await Promise.all(asked.mock.results.map(({ value }) => value as Promise<boolean>));
    await new Promise((resolve) => setTimeout(resolve, 20));
    return result;
  };
  const add = async (tx: Tx) => {
    const [id] = await tx.newIds(1);
    await addDataExport(tx, id!);
    return id!;
  };
  const ids = [await write(add)];
  expect(run).toHaveBeenCalledTimes(1);
  // While that goes on, one more look waits for its turn.
  for (let n = 0; n < 3; n++) ids.push(await write(add));
  letGo();
  await held;
  const until = new Date(Date.now() + 60_000);
  const leased = await write(async (tx) => {
    const leases = [];
    for (const id of ids) leases.push((await leaseDataExport(tx, id, until))!);
    return leases;
  });
  expect(run).toHaveBeenCalledTimes(2);
  for (const lease of leased) await write((tx) => noteProgress(tx, lease, { done: 1, total: 2, until, isNew: true }));
  expect(asked.mock.calls.length).toBeGreaterThan(leased.length);
  expect(run).toHaveBeenCalledTimes(2);
  await stop();
  vi.restoreAllMocks();
});
