import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { InstallationKey, makeKeys } from "./installation-key.ts";
import { unprepared } from "./sql.ts";

const { database } = await createTestDatabase();
const settings = () =>
  database.run(
    unprepared<{ name: string; value: string }>(
      "/* test */ SELECT name, value FROM setting WHERE name LIKE '%key' ORDER BY name",
    ),
  );

test("all keys are made at once, each another, and those that are there stay", async () => {
  const early = await new InstallationKey(database, "seal_key").load();
  await makeKeys(database, silentLog);
  const made = await settings();
  expect(made.map(({ name }) => name)).toEqual([
    "known_network_key",
    "oauth_client_key",
    "return_path_key",
    "seal_key",
  ]);
  expect(new Set(made.map(({ value }) => value)).size).toBe(4);
  expect(early.toString("hex")).toBe(made.at(-1)!.value);
  expect(early).toHaveLength(32);

  await makeKeys(database, silentLog);
  expect(await new InstallationKey(database, "return_path_key").load()).toHaveLength(32);
  expect(await settings()).toEqual(made);
});

test("a key that could not be read is asked for again, and one that could not be made stops no start", async () => {
  const key = new InstallationKey(database, "oauth_client_key");
  await database.run(unprepared("ALTER TABLE setting RENAME TO away"));
  const warned: string[] = [];
  await makeKeys(database, { ...silentLog, warn: (_: object, event: string) => void warned.push(event) });
  await expect(key.load()).rejects.toThrow();
  await database.run(unprepared("ALTER TABLE away RENAME TO setting"));
  expect(warned).toHaveLength(4);
  expect(await key.load()).toHaveLength(32);
});
