import type { Facts } from "./facts.ts";
import { matchPrice, priceCommand } from "./price.ts";

/** What is wrong with a server: a fault loses mail or stops something sooner or later; the others are warnings. */
export interface Finding {
  isFault: boolean;
  problem: string;
}

const fault = (problem: string): Finding => ({ isFault: true, problem });
const warning = (problem: string): Finding => ({ isFault: false, problem });

const minSlots = 20;
const maxClockAheadMs = 1_000;
/** The share of a server's connections that should be free. */
const minFree = 0.2;

/** Why a failover would lose what was acknowledged, or why nothing can be acknowledged now; empty if neither is so. */
export function durabilityFaults({ settings, standbys }: Pick<Facts, "settings" | "standbys">): Finding[] {
  if (settings.synchronous_standby_names === "")
    return [fault("synchronous_standby_names is empty: no commit waits for a standby, so a failover loses mail")];
  const found: Finding[] = [];
  const commit = settings.synchronous_commit;
  if (commit === "off" || commit === "local")
    found.push(fault(`synchronous_commit is ${commit}: no commit waits for a standby, so a failover loses mail`));
  if (standbys.length === 0) found.push(fault("no standby is connected: commits wait until one is"));
  else {
    const names = settings.synchronous_standby_names;
    // A role that may not see the state of a standby can't tell that it is of no use.
    const waitedFor = standbys.filter(({ syncState }) => syncState !== "async" && syncState !== "potential").length;
    const lacking = names !== null && waitedFor < standbysNeeded(names);
    if (lacking)
      found.push(fault(`too few standbys of synchronous_standby_names "${names}" are connected: commits wait`));
  }
  return found;
}

/** How many standbys a commit waits for: FIRST n (…), ANY n (…), n (…), or a list of which the first is meant. */
function standbysNeeded(names: string): number {
  return Number(/^\s*(?:(?:first|any)\s+)?(\d+)\s*\(/i.exec(names)?.[1] ?? 1);
}

/** What every server needs, plain Postgres too. `isMigrated`: the migrations have been applied to it. */
export function generalFindings(facts: Facts, { isMigrated }: { isMigrated: boolean }): Finding[] {
  const { settings, seesAll, clockAheadMs, clockDoubtMs, connections } = facts;
  const found: Finding[] = [];
  if (!seesAll)
    found.push(warning("this role does not see all settings: GRANT pg_monitor TO it to have all of them checked"));
  const skewMs = Math.abs(clockAheadMs) - clockDoubtMs;
  if (skewMs > maxClockAheadMs) {
    const how = `${Math.round(Math.abs(clockAheadMs) / 100) / 10} s ${clockAheadMs > 0 ? "ahead of" : "behind"}`;
    found.push(fault(`its clock is ${how} this machine's: run a time daemon such as chrony on both`));
  }
  const most = numberOf(settings.max_connections);
  if (most !== undefined && connections > most * (1 - minFree))
    found.push(warning(`${connections} of its ${most} connections are in use: raise max_connections`));
  if (isMigrated && facts.matchPrice !== matchPrice)
    found.push(warning(`searches are planned badly until a superuser runs there: ${priceCommand}`));
  return found;
}

/** What a server of Citus needs besides. `coordinator`: the facts of the coordinator, if this is another server. */
export function citusFindings(facts: Facts, coordinator: Facts | undefined): Finding[] {
  const { settings, citus, withoutIdentity } = facts;
  const found: Finding[] = [];
  const libraries = settings.shared_preload_libraries;
  if (libraries !== null && itemsOf(libraries)[0] !== "citus")
    found.push(fault(`shared_preload_libraries is "${libraries}": it must begin with citus`));
  if (citus === null) found.push(fault("this database lacks the extension: CREATE EXTENSION citus"));
  if (settings.wal_level !== "logical")
    found.push(fault(`wal_level is ${settings.wal_level}: set it to logical, so that shards move while they are used`));
  const plugins = settings.output_plugin_libraries;
  const lacking = ["pgoutput", "citus"].filter((plugin) => plugins !== null && !itemsOf(plugins).includes(plugin));
  if (lacking.length > 0)
    found.push(fault(`output_plugin_libraries lacks ${lacking.join(" and ")}: shards can't move without`));
  found.push(...numberFindings(settings));
  if (withoutIdentity.length > 0)
    found.push(fault(`${withoutIdentity.join(", ")}: no replica identity, so shards can't move while they are used`));
  if (settings["citus.node_conninfo"] !== null && !isVerified(settings["citus.node_conninfo"]))
    found.push(warning("citus.node_conninfo lacks sslmode=verify-full: nodes don't check who answers them"));
  if (coordinator) found.push(...differences(facts, coordinator));
  return found;
}

function numberFindings(settings: Facts["settings"]): Finding[] {
  const found: Finding[] = [];
  const [prepared, connections] = [settings.max_prepared_transactions, settings.max_connections].map(numberOf);
  if (prepared !== undefined && connections !== undefined && prepared < connections)
    found.push(fault(`max_prepared_transactions is ${prepared}: leave it unset, or set it to max_connections or more`));
  for (const name of ["max_worker_processes", "max_wal_senders", "max_replication_slots"] as const) {
    const value = numberOf(settings[name]);
    if (value !== undefined && value < minSlots)
      found.push(warning(`${name} is ${value}: moves of shards need ${minSlots} and more`));
  }
  return found;
}

function differences(facts: Facts, coordinator: Facts): Finding[] {
  const found: Finding[] = [];
  const same = (what: string, own: string | null, other: string | null) => {
    if (own !== null && other !== null && own !== other)
      found.push(fault(`its ${what} is ${own}, the coordinator's is ${other}`));
  };
  same("major version of Postgres", major(facts.version), major(coordinator.version));
  if (major(facts.version) === major(coordinator.version) && facts.version !== coordinator.version)
    found.push(warning(`it has Postgres ${facts.version}, the coordinator ${coordinator.version}`));
  same("version of Citus", facts.citus, coordinator.citus);
  same("encoding", facts.encoding, coordinator.encoding);
  same("locale", facts.collation, coordinator.collation);
  return found;
}

const major = (version: string) => version.split(".")[0]!;
const numberOf = (value: string | null) => (value === null ? undefined : Number(value));
const itemsOf = (list: string) => list.split(",").map((item) => item.trim().replace(/^"|"$/g, ""));
/** Whether a connection checks that the server is the one that was meant. */
const isVerified = (connection: string) => /\bsslmode\s*=\s*'?verify-full\b/.test(connection);
