import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { Blobs } from "../../store/blobs/blobs.ts";
import { DiskObjects } from "../../store/blobs/objects/disk.ts";
import { setQuota } from "../../store/mail/quota.ts";
import { methods } from "../methods.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "posthorn-copy-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("blobs and parts of blobs become readable in the other account, and no more than asked for", async () => {
  const store = await createTestStore();
  const services = testServices(store);
  const objects = new DiskObjects({ folder, clock: store.clock, random: services.random });
  const blobs = new Blobs({ objects, clock: store.clock, cacheBytes: 0 });
  services.blobs = blobs;
  const [from, to] = [await createTestAccount(store), await createTestAccount(store)];
  const client = new TestClient(methods, services, testLogin([from, to]));
  const [whole, secret] = [await blobs.put(Buffer.from("0123456789")), await blobs.put(Buffer.from("secret part"))];
  await store.write(from, "server", async (tx) => {
    for (const blob of [whole, secret]) await blobs.reference(tx, blob);
  });
  const wholeId = encodeBlobId(whole.sha256);
  const part = encodeBlobId(secret.sha256, [{ start: 7, end: 11, encoding: "identity" }]);
  const accounts = { fromAccountId: client.account, accountId: encodeId("u", to) };
  const response = await client.call("Blob/copy", { ...accounts, blobIds: [wholeId, part, "bnone", wholeId] });
  expect(response).toMatchObject({ ...accounts, notCopied: { bnone: { type: "notFound" } } });
  const copied = response.copied as Record<string, string>;
  const read = async (blobId: string) => (await blobs.read(store.reader(to, "server"), blobId))?.toString();
  expect(await read(copied[wholeId]!)).toBe("0123456789");
  expect(await read(copied[part]!)).toBe("part");
  expect(await read(encodeBlobId(secret.sha256))).toBeUndefined();

  const narrow = { ...services, limits: { ...services.limits, maxSizeUpload: 2 } };
  const other = new TestClient(methods, narrow, testLogin([from, to]));
  const refused = await other.call("Blob/copy", { ...accounts, blobIds: [part] });
  expect(refused).toMatchObject({ copied: null, notCopied: { [part]: { type: "tooLarge" } } });

  const call = (args: object) => client.call("Blob/copy", { ...accounts, blobIds: [], ...args });
  expect(await call({})).toMatchObject({ copied: null, notCopied: null });
  expect(await call({ fromAccountId: "u999" })).toMatchObject({ type: "fromAccountNotFound" });
  expect(await call({ accountId: client.account })).toMatchObject({ type: "invalidArguments" });

  await store.write(to, "server", (tx) => setQuota(tx, 5));
  expect(await call({ blobIds: [wholeId, part] })).toMatchObject({
    copied: { [part]: expect.any(String) },
    notCopied: { [wholeId]: { type: "overQuota" } },
  });
});
