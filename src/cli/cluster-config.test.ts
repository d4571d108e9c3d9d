import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { load } from "../config/load.ts";
import { configWarnings } from "./cluster-config.ts";

function warned(env: Record<string, string>, flags: Record<string, string> = {}): string[] {
  const own = { POSTHORN_DATA: join(tmpdir(), "posthorn-absent"), ...env };
  return configWarnings(load(own, flags), own).map(({ problem }) => problem);
}

test.each([
  ["verified", "postgres://p@db.test/p?sslmode=verify-full", 0],
  ["encrypted alone", "postgres://p@db.test/p?sslmode=require", 1],
  ["in the clear", "postgres://p@one.test,two.test/p", 1],
  ["on this machine", "postgres://p@127.0.0.1/p", 0],
  ["through a socket", "postgres://p@/p?host=/run/postgresql", 0],
])("a connection to the database that is %s", (_, url, warnings) => {
  expect(warned({ DATABASE_URL: url })).toHaveLength(warnings);
});

test("secrets in the environment and in flags are named, never shown", () => {
  const told = warned(
    {
      DATABASE_URL: "postgres://p:sesame@127.0.0.1/p",
      POSTHORN_S3_ACCESS_KEY: "key",
      POSTHORN_S3_SECRET_KEY: "sesame",
    },
    { redis: "redis://u:sesame@127.0.0.1" },
  );
  expect(told.map((text) => text.split(" ")[0])).toEqual([
    "DATABASE_URL",
    "--redis",
    "POSTHORN_S3_ACCESS_KEY",
    "POSTHORN_S3_SECRET_KEY",
  ]);
  expect(told.join()).not.toContain("sesame");
});

test("secrets in files and URLs without a password are well", () => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-secrets-"));
  try {
    const file = join(folder, "url");
    writeFileSync(file, "postgres://p:sesame@127.0.0.1/p\n");
    expect(warned({ DATABASE_URL_FILE: file, POSTHORN_REDIS: "redis://127.0.0.1" })).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
