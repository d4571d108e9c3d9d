import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import type { Store } from "../../src/store/core/store.ts";
import { afterwards } from "./afterwards.ts";

/** Bodies on disk, in a folder that is removed after the test file. */
export function createTestBlobs(): Blobs {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-blobs-"));
  afterwards(() => rmSync(folder, { recursive: true, force: true }));
  const objects = new DiskObjects({ folder, clock: systemClock, random: randomBytes });
  return new Blobs({ objects, clock: systemClock, cacheBytes: 1_000_000 });
}

/** Services for methods that read or write messages. */
export function createMailServices(store: Store): { blobs: Blobs; ingest: Ingest } {
  return { blobs: createTestBlobs(), ingest: new Ingest(store) };
}
