import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BackupError, DamagedBackup } from "./backup-error.ts";
import { BackupKey, makeKeyFile, readKeyFile } from "./key.ts";
import { open, seal } from "./seal.ts";

const folder = mkdtempSync(join(tmpdir(), "backup-key-"));
afterAll(() => rmSync(folder, { recursive: true }));
const key = new BackupKey(randomBytes(32));

test("what was sealed is opened again, and is ciphertext until then", async () => {
  for (const plain of [Buffer.alloc(0), Buffer.from("a mail\n".repeat(1000)), randomBytes(100_000)]) {
    const sealed = await seal(key, "bodies/1", plain, randomBytes);
    expect(sealed.includes("a mail")).toBe(false);
    expect(await open(key, "bodies/1", sealed)).toEqual(plain);
  }
});

test("any flipped bit, any cut, another name and another key are refused", async () => {
  const sealed = await seal(key, "bodies/1", Buffer.from("a mail"), randomBytes);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = Buffer.from(sealed);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await expect(open(key, "bodies/1", flipped)).rejects.toThrow(DamagedBackup);
  }
  for (const length of [0, 10, sealed.length - 1]) {
    await expect(open(key, "bodies/1", sealed.subarray(0, length))).rejects.toThrow(DamagedBackup);
  }
  await expect(open(key, "bodies/2", sealed)).rejects.toThrow("bodies/2 is not as it was written");
  await expect(open(new BackupKey(randomBytes(32)), "bodies/1", sealed)).rejects.toThrow(DamagedBackup);
});

test("a key file is read by its owner alone, never overwritten, and told from other files", () => {
  const file = join(folder, "key");
  const made = makeKeyFile(file, randomBytes);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readKeyFile(file).derive("x")).toEqual(made.derive("x"));
  expect(() => makeKeyFile(file, randomBytes)).toThrow(`${file} exists`);
  expect(() => readKeyFile(join(folder, "none"))).toThrow("there is no key file");
  writeFileSync(join(folder, "other"), "hello");
  expect(() => readKeyFile(join(folder, "other"))).toThrow(BackupError);
});
