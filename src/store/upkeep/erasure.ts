import { sql } from "kysely";
import { objectName, type StoredBlob } from "../blobs/objects/object-store.ts";
import type { Database } from "../core/database.ts";
import { across, type Row, read, write } from "../core/declare.ts";
import { markDead } from "./dead-objects.ts";
import { heldObjects, lastSettledDay } from "./held-objects.ts";
import { type RemovalOptions, removeObjects } from "./remove-objects.ts";

/** Whom nothing is to name any more. */
export interface Erased {
  userId: number;
  /** In lower case. */
  addresses: readonly string[];
}

const bodies = read("erasure.bodies", (db, $: { userId: number }) =>
  db.selectFrom("blobRef").select(["sha256", "day", "size", "pack"]).where("userId", "=", $.userId),
);

type Waiting = Row<"incoming", "id" | "sha256" | "day" | "size" | "pack">;
const fromIncoming = write(
  "erasure.incoming",
  (_, $: { userId: number }) => sql<never>`
  UPDATE incoming SET recipients = (SELECT coalesce(jsonb_agg(r), '[]'::jsonb) FROM jsonb_array_elements(recipients) r
    WHERE (r->>'userId')::bigint <> ${$.userId})
  WHERE recipients @> jsonb_build_array(jsonb_build_object('userId', ${$.userId}::bigint))`,
);
const fromQuarantine = write(
  "erasure.quarantine",
  (_, $: { userId: number }) => sql<never>`
  UPDATE quarantine SET recipients = (SELECT coalesce(jsonb_agg(r), '[]'::jsonb) FROM jsonb_array_elements(recipients) r
    WHERE (r->>'userId')::bigint <> ${$.userId})
  WHERE recipients @> jsonb_build_array(jsonb_build_object('userId', ${$.userId}::bigint))`,
);
const emptied = read(
  "erasure.emptied",
  () => sql<Waiting & { table: string }>`
  SELECT id, sha256, day, size, pack, 'incoming' AS "table" FROM incoming WHERE recipients = '[]'::jsonb
  UNION ALL SELECT id, sha256, day, size, pack, 'quarantine' FROM quarantine WHERE recipients = '[]'::jsonb`,
);
const dropIncoming = write("erasure.dropIncoming", (db, $: { ids: readonly number[] }) =>
  db.deleteFrom("incoming").where("id", "in", $.ids).where(sql<boolean>`recipients = '[]'::jsonb`),
);
const dropQuarantine = write("erasure.dropQuarantine", (db, $: { ids: readonly number[] }) =>
  db.deleteFrom("quarantine").where("id", "in", $.ids).where(sql<boolean>`recipients = '[]'::jsonb`),
);

/** The steps of mails tell what happened to others' mail, so they stay, without the address. */
const fromMailLog = write(
  "erasure.mailLog",
  (_, $: { pattern: string }) => sql<never>`
  UPDATE mail_event SET addresses = regexp_replace(addresses::text, ${$.pattern}, 'erased', 'gi')::jsonb,
    fields = regexp_replace(fields::text, ${$.pattern}, 'erased', 'gi')::jsonb
  WHERE addresses::text ~* ${$.pattern} OR fields::text ~* ${$.pattern}`,
);
const fromSuppressions = write(
  "erasure.suppressions",
  (db, $: { addresses: readonly string[] }) => db.deleteFrom("suppression").where("address", "in", $.addresses),
  across("others' lists may have an address that is erased"),
);
const fromGeneralSuppressions = write("erasure.generalSuppressions", (db, $: { addresses: readonly string[] }) =>
  db.deleteFrom("generalSuppression").where("address", "in", $.addresses),
);
const fromInvites = write("erasure.invites", (db, $: { addresses: readonly string[] }) =>
  db.deleteFrom("invite").where("address", "in", $.addresses),
);

/** A regular expression of Postgres that finds any of the addresses, and no longer ones that end or begin alike. */
export function patternOf(addresses: readonly string[]): string {
  // As it stands in JSON: a quoted local part has its quotes escaped.
  const escaped = addresses.flatMap((address) => [...new Set([address, JSON.stringify(address).slice(1, -1)])]);
  const any = escaped.map((text) => text.replace(/[^\w@-]/g, "\\$&")).join("|");
  return `(?<![\\w.!#$%&'*+/=?^\`{|}~-])(${any})(?![\\w-]|\\.\\w)`;
}

/** The bodies that only the account may refer to, and those of mail that waits for it. */
export function bodiesOf(database: Database, userId: number): Promise<StoredBlob[]> {
  return database.run(bodies, { userId });
}

/** Takes the account out of mail that waits or is in quarantine; mail that was for it alone goes. */
export async function eraseFromQueues(database: Database, { userId }: Erased, now: Date): Promise<StoredBlob[]> {
  await database.run(fromIncoming, { userId });
  await database.run(fromQuarantine, { userId });
  // Also those that an interrupted run left.
  const gone = await database.run(emptied);
  if (gone.length === 0) return [];
  await markDead(database, gone, now);
  await database.run(dropIncoming, { ids: gone.filter(({ table }) => table === "incoming").map(({ id }) => id) });
  await database.run(dropQuarantine, { ids: gone.filter(({ table }) => table === "quarantine").map(({ id }) => id) });
  return gone;
}

/** Takes the addresses out of what the installation keeps of mails, and of the lists of those who get none. */
export async function eraseAddresses(database: Database, { addresses }: Erased): Promise<void> {
  if (addresses.length === 0) return;
  await database.run(fromMailLog, { pattern: patternOf(addresses) });
  await database.run(fromSuppressions, { addresses });
  await database.run(fromGeneralSuppressions, { addresses });
  await database.run(fromInvites, { addresses });
}

/**
 * Removes at once those of these bodies that nobody else holds. The ones of the last days stay for the sweeps: the same
 * message may just be arriving for somebody else. Resolves with these.
 */
export async function removeBodies(options: RemovalOptions, all: readonly StoredBlob[]): Promise<StoredBlob[]> {
  const { database, clock } = options.store;
  const settled = lastSettledDay(clock.now());
  const left: StoredBlob[] = [];
  for (let start = 0; start < all.length; start += 1_000) {
    const some = all.slice(start, start + 1_000);
    const held = await heldObjects(database, some);
    const free = some.filter((body) => !held.has(objectName(body)));
    await removeObjects(
      options,
      free.filter(({ day }) => day <= settled),
    );
    left.push(...free.filter(({ day }) => day > settled));
  }
  return left;
}
