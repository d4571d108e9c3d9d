import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAlive, isPassing, lastComplaint, trimLog } from "./postmaster.ts";
import { serverSettings } from "./settings.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ph-"));
  file = join(folder, "postgres.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a log that is too long is moved to one older file, which replaces the one before", () => {
  writeFileSync(file, "a".repeat(100));
  trimLog(file, 101);
  expect(statSync(file).size).toBe(100);
  trimLog(file, 100);
  expect(statSync(file).size).toBe(0);
  writeFileSync(file, "b".repeat(100));
  trimLog(file, 100);
  expect(readFileSync(`${file}.1`, "utf8")).toBe("b".repeat(100));
  trimLog(join(folder, "absent"));
});

test("the reason for a failed start is taken from the lines of that server", () => {
  const old = "2026-01-01 00:00:00.000 UTC [7] FATAL:  older\n";
  writeFileSync(
    file,
    `${old}2026-01-01 00:00:01.000 UTC [7] FATAL:  lock file "postmaster.pid" already exists\n` +
      "2026-01-01 00:00:01.000 UTC [7] HINT:  Is another postmaster running?\n" +
      "2026-01-01 00:00:01.000 UTC [8] FATAL:  the database system is starting up\n",
  );
  const complaint = lastComplaint(file, old.length, 7);
  expect(complaint).toBe('lock file "postmaster.pid" already exists');
  expect(isPassing(complaint ?? "")).toBe(true);
  expect(lastComplaint(file, old.length, 9)).toBeUndefined();

  writeFileSync(file, "postgres: error while loading shared libraries: libx.so.1\n");
  expect(lastComplaint(file, 0, 9)).toContain("libx.so.1");
  expect(isPassing("could not write to file: No space left on device")).toBe(false);
});

test("the reason for a failed recovery is what the failed process wrote", () => {
  const lines = [
    "[31] LOG:  redo done at 0/3FFFAB8",
    '[31] FATAL:  could not write to file "pg_wal/xlogtemp.31": No space left on device',
    "[30] LOG:  startup process (PID 31) exited with exit code 1",
    "[30] LOG:  terminating any other active server processes",
    "[32] FATAL:  the database system is in recovery mode",
    "[30] LOG:  shutting down due to startup process failure",
  ];
  const write = (kept: string[]) =>
    writeFileSync(file, kept.map((line) => `2026-01-01 00:00:01.000 UTC ${line}\n`).join(""));
  write(lines);
  expect(lastComplaint(file, 0, 30)).toBe('could not write to file "pg_wal/xlogtemp.31": No space left on device');
  write(lines.filter((line) => !line.startsWith("[31]")));
  expect(lastComplaint(file, 0, 30)).toBe("startup process (PID 31) exited with exit code 1");
});

test("a pid without a process is not alive", () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(2 ** 22 + 1)).toBe(false);
});

test("small machines get smaller buffers, and no machine gives up durability", () => {
  const small = serverSettings("/run", "18.4.0", 2 ** 30).join(" ");
  const large = serverSettings("/run", "18.4.0", 2 ** 34).join(" ");
  expect(small).toContain("shared_buffers=128MB");
  expect(large).toContain("shared_buffers=256MB");
  for (const line of [small, large]) {
    for (const wanted of ["fsync=on", "full_page_writes=on", "synchronous_commit=on"]) expect(line).toContain(wanted);
  }
});
