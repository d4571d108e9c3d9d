import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";

const columns = ["domain", "policyId", "policy", "checkedAt", "usedAt", "expiresAt"] as const;

/** The MTA-STS policy of another domain (RFC 8461) as it was fetched, until it expires. */
export type StoredStsPolicy = Row<"stsPolicy", (typeof columns)[number]>;

const byDomain = read("stsPolicies.byDomain", (db, $: { domain: string }) =>
  db.selectFrom("stsPolicy").select(columns).where("domain", "=", $.domain),
);
const keep = write("stsPolicies.keep", (db, $: StoredStsPolicy) =>
  db
    .insertInto("stsPolicy")
    .values({
      ...{ domain: $.domain, policyId: $.policyId, policy: $.policy },
      ...{ checkedAt: $.checkedAt, usedAt: $.usedAt, expiresAt: $.expiresAt },
    })
    .onConflict((conflict) =>
      conflict.column("domain").doUpdateSet({
        ...{ policyId: $.policyId, policy: $.policy },
        ...{ checkedAt: $.checkedAt, expiresAt: $.expiresAt },
      }),
    ),
);
const touch = write("stsPolicies.touch", (db, $: { domain: string; usedAt: Date }) =>
  db.updateTable("stsPolicy").set({ usedAt: $.usedAt }).where("domain", "=", $.domain),
);
const drop = write("stsPolicies.drop", (db, $: { until: Date }) =>
  db.deleteFrom("stsPolicy").where("expiresAt", "<=", $.until),
);

interface Staleness {
  /** Last looked at before this, or ending by that and not looked at within the hour before `now`. */
  checked: Date;
  endsBy: Date;
  /** And used since. */
  used: Date;
  now: Date;
  limit: number;
}
const claim = write("stsPolicies.claim", (db, $: Staleness & { hourAgo: Date }) =>
  db
    .updateTable("stsPolicy")
    .set({ checkedAt: $.now })
    .where("domain", "in", (eb) =>
      eb
        .selectFrom("stsPolicy")
        .select("domain")
        .where("usedAt", ">=", $.used)
        .where((or) =>
          or.or([
            or("checkedAt", "<", $.checked),
            or.and([or("expiresAt", "<", $.endsBy), or("checkedAt", "<", $.hourAgo)]),
          ]),
        )
        .orderBy("checkedAt")
        .limit($.limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(columns),
);

export async function findStsPolicy(database: Database, domain: string): Promise<StoredStsPolicy | undefined> {
  const [row] = await database.run(byDomain, { domain });
  return row;
}

/** Stores a policy that was fetched, in place of the one before. */
export async function keepStsPolicy(database: Database, policy: StoredStsPolicy): Promise<void> {
  await database.run(keep, policy);
}

/** Notes that mail asked for the policy. */
export async function touchStsPolicy(database: Database, domain: string, usedAt: Date): Promise<void> {
  await database.run(touch, { domain, usedAt });
}

/** Forgets policies that expired by then. */
export async function dropStsPolicies(database: Database, until: Date): Promise<void> {
  await database.run(drop, { until });
}

/** Policies that should be fetched again; no other process gets them for an hour. */
export function staleStsPolicies(database: Database, stale: Staleness): Promise<StoredStsPolicy[]> {
  return database.run(claim, { ...stale, hourAgo: new Date(stale.now.getTime() - 3_600_000) });
}
