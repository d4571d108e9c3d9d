import { expect, test } from "vitest";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeBlobId } from "../blobs/blob-id.ts";
import { findBlob, referenceBlob } from "../blobs/blob-refs.ts";
import type { Reader, Viewer } from "./store.ts";

const store = await createTestStore();
const { blobs } = createMailServices(store);

test.each<[string, <T>(account: number, viewer: Viewer, work: (reader: Reader) => Promise<T>) => Promise<T>]>([
  ["reader", (account, viewer, work) => work(store.reader(account, viewer))],
  ["reads", (...given) => store.reads(...given)],
  ["snapshot", (...given) => store.snapshot(...given)],
  ["write", (...given) => store.write(...given)],
])("by %s, an upload is read by its uploader and the server, and by no other login", async (_, through) => {
  const account = await createTestAccount(store);
  const guest = await createTestAccount(store);
  const blob = await blobs.put(Buffer.from("private"));
  const expiresAt = new Date(Date.now() + 3_600_000);
  await store.write(account, { userId: guest }, (tx) => referenceBlob(tx, blob, { expiresAt, uploader: guest }));
  const id = encodeBlobId(blob.sha256);
  const seen = (viewer: Viewer) =>
    through(account, viewer, async (reader) => [
      (await findBlob(reader, blob.sha256)) !== undefined,
      (await blobs.read(reader, id)) !== undefined,
      (await blobs.open(reader, id)) !== undefined,
    ]);
  expect(await seen({ userId: guest })).toEqual([true, true, true]);
  expect(await seen("server")).toEqual([true, true, true]);
  expect(await seen({ userId: account })).toEqual([false, false, false]);
});

test("writes that share a commit each read for their own login", async () => {
  const [account, guest] = [await createTestAccount(store), await createTestAccount(store)];
  const blob = await blobs.put(Buffer.from("not shared"));
  await store.write(account, "server", (tx) => referenceBlob(tx, blob, { uploader: guest }));
  const viewers: Viewer[] = ["server", { userId: account }, { userId: guest }, { userId: account }];
  const seen = viewers.map((viewer) => store.write(account, viewer, (tx) => findBlob(tx, blob.sha256)));
  expect((await Promise.all(seen)).map((found) => found !== undefined)).toEqual([true, false, true, false]);
});

test("nothing is read or written without saying for whom", () => {
  const never = () => {
    // @ts-expect-error: no viewer
    store.reader(1);
    // @ts-expect-error: an account is no viewer
    store.reader(1, 1);
    // @ts-expect-error: no viewer
    store.snapshot(1, async () => 1);
    // @ts-expect-error: no viewer
    store.reads(1, async () => 1);
    // @ts-expect-error: no viewer
    store.write(1, async () => 1);
    // @ts-expect-error: a reader that does not say for whom
    blobs.read({ ...store.reader(1, "server"), viewer: undefined }, "b");
    // @ts-expect-error: no reader
    blobs.read("b");
  };
  expect(never).toBeTypeOf("function");
});
