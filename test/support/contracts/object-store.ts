import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { beforeEach, expect, test } from "vitest";
import { sha256Of } from "../../../src/store/blobs/blob-id.ts";
import { type ObjectStore, objectName } from "../../../src/store/blobs/objects/object-store.ts";

export const key = (text: string, day = "2026-01-02") => ({ day, sha256: sha256Of(Buffer.from(text)) });

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What every ObjectStore does. `make` gives an empty one. */
export function objectStoreContract(make: () => Promise<ObjectStore>): void {
  let objects: ObjectStore;
  beforeEach(async () => {
    objects = await make();
  });

  test("an object is read whole, in ranges and as a stream", async () => {
    await objects.put(key("hello"), Buffer.from("hello"));
    expect((await objects.read(key("hello")))?.toString()).toBe("hello");
    expect((await objects.read(key("hello"), 1, 3))?.toString()).toBe("el");
    expect((await objects.read(key("hello"), 3, 99))?.toString()).toBe("lo");
    expect((await objects.read(key("hello"), 9, 99))?.toString()).toBe("");
    const chunks = await objects.stream(key("hello"), 1, 4).toArray();
    expect(Buffer.concat(chunks).toString()).toBe("ell");
    expect(await objects.size(key("hello"))).toBe(5);
    expect(await objects.exists(key("hello"))).toBe(true);
  });

  test("an object that is not there is undefined, and streaming it fails", async () => {
    expect(await objects.read(key("other"))).toBeUndefined();
    expect(await objects.size(key("other"))).toBeUndefined();
    expect(await objects.exists(key("other"))).toBe(false);
    await expect(objects.stream(key("other"), 0, 1).toArray()).rejects.toThrow();
    expect(await objects.read(key("hello", "2020-01-01"))).toBeUndefined();
  });

  test("an empty object is kept", async () => {
    await objects.put(key(""), Buffer.alloc(0));
    expect((await objects.read(key("")))?.length).toBe(0);
    expect(await objects.size(key(""))).toBe(0);
  });

  test("an object is put from a temporary file, which is consumed", async () => {
    const path = await objects.temporaryPath();
    await writeFile(path, "large");
    await objects.putFile(key("large"), path);
    expect((await objects.read(key("large")))?.toString()).toBe("large");
    await expect(writeFile(path, "again", { flag: "r+" })).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a hundred puts at once, some of them the same, leave each object once", async () => {
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index % 60}`);
    await Promise.all(texts.map((text) => objects.put(key(text), Buffer.from(text))));
    const listed = await all(objects.list("2026-01-02"));
    expect(listed.map(({ sha256 }) => sha256.toString("hex")).sort()).toEqual(
      [...new Set(texts)].map((text) => key(text).sha256.toString("hex")).sort(),
    );
    expect(listed.every(({ day, size }) => day === "2026-01-02" && (size === 6 || size === 7))).toBe(true);
  });

  test("small objects that are put together are read, listed and removed one by one", async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `text ${index % 50}`);
    const put = (text: string) =>
      objects.putTogether({ ...key(text), size: text.length, pack: null }, Buffer.from(text));
    const blobs = await Promise.all(texts.map(put));
    for (const [index, blob] of blobs.entries()) {
      expect(blob).toMatchObject({ ...key(texts[index]!), size: texts[index]!.length });
      expect((await objects.read(blob))?.toString()).toBe(texts[index]);
      expect((await objects.read(blob, 1, 3))?.toString()).toBe("ex");
      expect(await objects.size(blob)).toBe(blob.size);
    }
    expect(Buffer.concat(await objects.stream(blobs[7]!, 2, 6).toArray()).toString()).toBe("xt 7");
    const listed = async () => (await all(objects.list("2026-01-02"))).map(objectName).sort();
    const names = [...new Set(blobs.map(objectName))].sort();
    expect(names).toHaveLength(50);
    expect(await listed()).toEqual(names);
    expect(await objects.days()).toEqual(["2026-01-02"]);
    const [first, , third] = blobs;
    expect(await objects.remove([first!, third!, key("other")])).toEqual([true, true, false]);
    expect(await objects.remove([third!])).toEqual([false]);
    expect([await objects.exists(first!), await objects.read(third!)]).toEqual([false, undefined]);
    expect(await listed()).toEqual(names.filter((name) => name !== objectName(first!) && name !== objectName(third!)));
    for (const [index, blob] of blobs.entries()) {
      if (index % 50 !== 0 && index % 50 !== 2) expect((await objects.read(blob))?.toString()).toBe(texts[index]);
    }
    await objects.remove(blobs);
    expect(await listed()).toEqual([]);
  });

  test("days are listed in order, and removed objects are gone", async () => {
    expect(await objects.days()).toEqual([]);
    await objects.put(key("b", "2026-01-03"), Buffer.from("b"));
    await objects.put(key("a", "2026-01-02"), Buffer.from("a"));
    expect(await objects.days()).toEqual(["2026-01-02", "2026-01-03"]);
    expect(await objects.remove([key("a"), key("other")])).toEqual([true, false]);
    expect(await objects.remove([key("a")])).toEqual([false]);
    expect(await objects.exists(key("a"))).toBe(false);
    expect(await all(objects.list("2026-01-02"))).toEqual([]);
    expect(await all(objects.list("2020-01-02"))).toEqual([]);
  });

  test("without a day, all objects are listed", async () => {
    const texts = Array.from({ length: 30 }, (_, index) => `text ${index}`);
    const days = ["2026-01-02", "2026-01-03", "2026-02-01"];
    await Promise.all(texts.map((text, index) => objects.put(key(text, days[index % 3]), Buffer.from(text))));
    const listed = await all(objects.list());
    expect(listed.map(({ day, sha256 }) => `${day} ${sha256.toString("hex")}`).sort()).toEqual(
      texts.map((text, index) => `${days[index % 3]} ${key(text).sha256.toString("hex")}`).sort(),
    );
    expect((await all(objects.list("2026-01-03"))).length).toBe(10);
  });

  test("an object of several megabytes is put, read and streamed unchanged", async () => {
    const bytes = randomBytes(5_000_000);
    const large = { day: "2026-01-02", sha256: sha256Of(bytes) };
    await objects.put(large, bytes);
    expect((await objects.read(large))?.equals(bytes)).toBe(true);
    const path = await objects.temporaryPath();
    await writeFile(path, bytes);
    await objects.putFile({ ...large, day: "2026-01-03" }, path);
    const streamed = await objects.stream({ ...large, day: "2026-01-03" }, 1_000, 4_999_000).toArray();
    expect(Buffer.concat(streamed).equals(bytes.subarray(1_000, 4_999_000))).toBe(true);
  });

  test("the first claim stands, even among many at once, and is not an object", async () => {
    const claims = await Promise.all(["one", "two", "three"].map((id) => objects.claim(id)));
    expect(new Set(claims).size).toBe(1);
    expect(["one", "two", "three"]).toContain(claims[0]);
    expect(await objects.claim("four")).toBe(claims[0]);
    expect(await objects.days()).toEqual([]);
  });

  test("a store that can be written to says so", async () => {
    expect(await objects.check()).toBeUndefined();
    await objects.tidy();
  });
}
