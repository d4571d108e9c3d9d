import { citusFindings, durabilityFaults, type Finding, generalFindings } from "../store/cluster/check.ts";
import { unreached } from "../store/cluster/moves.ts";
import type { Admin } from "./admin.ts";
import { survey } from "./cluster.ts";

/** `server` is null for what concerns all of them. */
export type Checked = Finding & { server: string | null };

/**
 * What is wrong with the servers of the database, by server. `hasFailover`: whether standbys are expected; the database
 * that comes with Posthorn has none.
 */
export async function checkCluster(
  admin: Pick<Admin, "store">,
  { hasFailover }: { hasFailover: boolean },
): Promise<Checked[]> {
  const { isCitus, isMigrated, servers } = await survey(admin);
  const coordinator = servers.find(({ isMain }) => isMain)?.facts;
  const checked = servers.flatMap(({ name, member, isMain, facts, trouble }): Checked[] => {
    const found: Finding[] = [];
    if (trouble !== undefined) found.push({ isFault: true, problem: `it can't be asked: ${trouble}` });
    if (member?.isActive === false)
      found.push({ isFault: true, problem: "Citus has it as not active (see its citus_activate_node)" });
    if (facts) found.push(...generalFindings(facts, { isMigrated }));
    if (facts && isCitus) found.push(...citusFindings(facts, isMain ? undefined : coordinator));
    if (facts && hasFailover && member?.isPrimary !== false) found.push(...durabilityFaults(facts));
    return found.map((one) => ({ server: name, ...one }));
  });
  const allAnswer = servers.every(({ facts }) => facts);
  // A server that is away would be reported once more by each of the others.
  if (isCitus && allAnswer && servers.length > 1) {
    for (const { from, to } of await unreached(admin.store.database))
      checked.push({ server: from, isFault: true, problem: `it doesn't reach ${to} (see pg_hba.conf, .pgpass there)` });
  }
  return checked;
}
