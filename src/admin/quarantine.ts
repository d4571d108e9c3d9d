import { decodeId, idPrefix } from "../base/ids.ts";
import { headerEnd } from "../mime/walk.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import {
  findQuarantined,
  listQuarantine,
  type Quarantined,
  releaseQuarantined,
  removeQuarantined,
} from "../store/queues/quarantine.ts";
import { markDead } from "../store/upkeep/dead-objects.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { Refused } from "./refused.ts";

type Reading = Pick<Admin, "store">;

/** Infected messages, the newest first. */
export function quarantined({ store }: Reading, limit: number): Promise<Quarantined[]> {
  return listQuarantine(store.database, limit);
}

/** By the name that the log and the sender were given, such as "q12". */
export async function findInQuarantine({ store }: Reading, text: string): Promise<Quarantined> {
  const id = decodeId(idPrefix.incoming, text);
  const found = id === undefined ? undefined : await findQuarantined(store.database, id);
  if (!found) throw new Refused({ type: "notQuarantined", text });
  return found;
}

const maxHeader = 65_536;

/** The header of the message, which is never shown whole. */
export async function headerInQuarantine(blobs: Blobs, { sha256, day, pack, size }: Quarantined): Promise<string> {
  const head = await blobs.readObject({ sha256, day, pack, size }, 0, Math.min(size, maxHeader));
  return head.toString("utf8", 0, headerEnd(head));
}

/** Delivers the message to its recipients as if it had no virus. */
export async function releaseFromQuarantine(admin: Admin, text: string): Promise<void> {
  const message = await findInQuarantine(admin, text);
  await changeInstallation(admin, { act: "quarantine.release", message: text }, (executor) =>
    releaseQuarantined(executor, message, admin.store.clock.now()),
  );
}

/** Removes the message for good. */
export async function deleteFromQuarantine(admin: Admin, text: string): Promise<void> {
  const message = await findInQuarantine(admin, text);
  // First, so that no crash leaves an object behind; it goes once nothing holds it.
  await markDead(admin.store.database, [message], admin.store.clock.now());
  await changeInstallation(admin, { act: "quarantine.delete", message: text }, (executor) =>
    removeQuarantined(executor, message.id),
  );
}
