import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { afterwards } from "../../test/support/afterwards.ts";
import { systemClock } from "../base/clock.ts";
import { DiskObjects } from "../store/blobs/objects/disk.ts";
import type { Server } from "../store/core/server.ts";
import { checks } from "./checks.ts";

async function world(maxMessageSize: number, missing: string[] = [], servers = 1) {
  const data = await mkdtemp(join(tmpdir(), "checks-"));
  afterwards(() => rm(data, { recursive: true }));
  const objects = new DiskObjects({ folder: join(data, "blobs"), clock: systemClock, random: randomBytes });
  const nodes = { all: { length: servers } as Server[], missing: async () => missing };
  const sizes = { maxMessageSize, maxSizeUpload: 1 };
  return { data, ...checks({ data, ...sizes }, { database: { nodes }, objects }) };
}

test("the disk check fails when there is no room for the largest message", async () => {
  expect(await (await world(1)).disk()).toBeUndefined();
  expect(await (await world(1e15)).disk()).toBe("less than 1000000000 MB free");
});

test("the check of the bodies passes while a file can be written beside them, and leaves no file behind", async () => {
  const { data, bodies } = await world(1);
  expect(await bodies()).toBeUndefined();
  expect(await readdir(join(data, "blobs", "tmp"))).toEqual([]);
  await rename(join(data, "blobs"), join(data, "elsewhere"));
  await writeFile(join(data, "blobs"), "");
  expect(await bodies()).toBe("can't be written");
});

test.each([
  [[], 1, undefined],
  [["database"], 1, "gives no answer"],
  [["the coordinator", "node 2"], 3, { partly: "no answer from the coordinator, node 2" }],
  [["the coordinator", "node 1", "node 2"], 3, "gives no answer"],
])("the database check with %j missing of %i servers", async (missing, count, finding) => {
  expect(await (await world(1, missing, count)).database()).toEqual(finding);
});
