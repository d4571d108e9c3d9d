import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { crossings } from "../src/store/core/declare.ts";
import { storeModules } from "./support/declared-types.ts";

/** docs/citus.md says of each statement that crosses accounts why it does, and what is asked. */
const page = readFileSync(new URL("../docs/citus.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `(\w+\.\w+)` \| (.+?) \| (.+?) \|$/gm)].map(([, name, why]) => [name, why]);

beforeAll(async () => {
  for (const file of storeModules) await import(pathToFileURL(resolve(file)).href);
});

test("each statement that crosses accounts is in docs/citus.md, with its reason", () => {
  const ours = [...crossings].filter(([name]) => !/^(planted|test)\./.test(name));
  expect(rows).toEqual(ours.sort(([one], [other]) => (one < other ? -1 : 1)));
});

test("each table is named where it lies", () => {
  const folder = new URL("../migrations/", import.meta.url);
  const files = readdirSync(folder).filter((name) => /^\d/.test(name));
  const sql = files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n");
  const names = (pattern: RegExp) => [...sql.matchAll(pattern)].map(([, table]) => table!).sort();
  const placed = {
    shard: names(/^SELECT distribute\('(\w+)', 'user_id'/gm),
    sha256: names(/^SELECT distribute\('(\w+)', 'sha256'/gm),
    pack: names(/^SELECT distribute\('(\w+)', 'pack'/gm),
    every: names(/^SELECT replicate\('(\w+)'/gm),
  };
  const others = names(/^CREATE TABLE (\w+)/gm).filter((table) => !Object.values(placed).flat().includes(table));
  const told = (beginning: string) =>
    new RegExp(`^\\| ${beginning}[^|]*\\| ([^|]+) \\|`, "m").exec(page)![1]!.split(", ");
  expect(told("in the shard of the account")).toEqual(placed.shard);
  expect(told("by `sha256`")).toEqual(placed.sha256);
  expect(told("by `pack`")).toEqual(placed.pack);
  expect(told("on every node")).toEqual(placed.every);
  expect(told("on the coordinator")).toEqual(others);
});
