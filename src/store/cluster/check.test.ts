import { expect, test } from "vitest";
import { createPlainDatabase } from "../../../test/support/postgres.ts";
import { citusFindings, durabilityFaults, generalFindings } from "./check.ts";
import { type Facts, readFacts } from "./facts.ts";

const standby = (syncState: string | null) => ({ name: "walreceiver", syncState, lagMs: 1, lagBytes: 0 });
/** Of a server of Citus that lacks nothing. */
const well: Facts = {
  version: "15.20 (Debian 15.20-1)",
  citus: "13.2-1",
  encoding: "UTF8",
  collation: "C.UTF-8 C.UTF-8",
  settings: {
    shared_preload_libraries: "citus, pg_stat_statements",
    wal_level: "logical",
    max_connections: "300",
    max_prepared_transactions: "600",
    max_worker_processes: "32",
    max_wal_senders: "20",
    max_replication_slots: "20",
    output_plugin_libraries: "pgoutput, citus",
    synchronous_standby_names: "*",
    synchronous_commit: "on",
    "citus.node_conninfo": "sslmode=verify-full sslrootcert=/etc/ca.pem",
  },
  seesAll: true,
  matchPrice: 800,
  withoutIdentity: [],
  connections: 10,
  databaseBytes: 1,
  standbys: [standby("sync")],
  clockAheadMs: 3,
  clockDoubtMs: 2,
  longestMs: null,
};
const having = (change: Partial<Omit<Facts, "settings">> & { settings?: Partial<Facts["settings"]> }): Facts => ({
  ...well,
  ...change,
  settings: { ...well.settings, ...change.settings },
});
const allOf = (facts: Facts) => [
  ...generalFindings(facts, { isMigrated: true }),
  ...citusFindings(facts, well),
  ...durabilityFaults(facts),
];

test("a server that lacks nothing has no finding, nor one that lacks a setting which its Postgres does not have", () => {
  expect(allOf(well)).toEqual([]);
  expect(allOf(having({ settings: { output_plugin_libraries: null } }))).toEqual([]);
  const two = { synchronous_standby_names: "2 (a, b)" };
  expect(allOf(having({ settings: two, standbys: [standby("sync"), standby("sync"), standby("async")] }))).toEqual([]);
  expect(allOf(having({ standbys: [standby(null)] }))).toEqual([]);
});

test.each<[what: string, change: Parameters<typeof having>[0], problem: RegExp]>([
  ["citus loaded late", { settings: { shared_preload_libraries: "auto_explain,citus" } }, /must begin with citus/],
  ["no citus loaded", { settings: { shared_preload_libraries: "" } }, /must begin with citus/],
  ["no extension", { citus: null }, /CREATE EXTENSION citus/],
  ["no logical WAL", { settings: { wal_level: "replica" } }, /wal_level is replica/],
  ["no output plugin of citus", { settings: { output_plugin_libraries: "pgoutput" } }, /lacks citus:/],
  ["no output plugin", { settings: { output_plugin_libraries: "" } }, /lacks pgoutput and citus/],
  ["few prepared transactions", { settings: { max_prepared_transactions: "10" } }, /max_prepared_transactions is 10/],
  ["a table without identity", { withoutIdentity: ["toy"] }, /^toy: no replica identity/],
  ["a clock ahead", { clockAheadMs: 4_200, clockDoubtMs: 20 }, /4.2 s ahead of/],
  ["a clock behind", { clockAheadMs: -1_900, clockDoubtMs: 20 }, /1.9 s behind/],
  ["another major version", { version: "16.1" }, /Postgres is 16, the coordinator's is 15/],
  ["another Citus", { citus: "13.1-1" }, /Citus is 13.1-1, the coordinator's is 13.2-1/],
  ["another encoding", { encoding: "LATIN1" }, /encoding is LATIN1/],
  ["another locale", { collation: "de_DE.UTF-8 de_DE.UTF-8" }, /locale is de_DE/],
  ["no synchronous standby", { settings: { synchronous_standby_names: "" } }, /synchronous_standby_names is empty/],
  ["local commits", { settings: { synchronous_commit: "local" } }, /synchronous_commit is local/],
  ["commits in the background", { settings: { synchronous_commit: "off" } }, /synchronous_commit is off/],
  ["no standby there", { standbys: [] }, /no standby is connected: commits wait/],
  ["a standby of another name", { standbys: [standby("async")] }, /too few standbys .* commits wait/],
  [
    "one standby of two",
    {
      settings: { synchronous_standby_names: "ANY 2 (a, b, c)" },
      standbys: [standby("quorum"), standby("async")],
    },
    /too few standbys of synchronous_standby_names "ANY 2 \(a, b, c\)" are connected/,
  ],
])("%s is a fault", (_, change, problem) => {
  expect(allOf(having(change))).toEqual([{ isFault: true, problem: expect.stringMatching(problem) }]);
});

test.each<[what: string, change: Parameters<typeof having>[0], problem: RegExp]>([
  ["unverified nodes", { settings: { "citus.node_conninfo": "sslmode=require" } }, /lacks sslmode=verify-full/],
  ["few workers", { settings: { max_worker_processes: "8" } }, /max_worker_processes is 8/],
  ["few connections", { connections: 250 }, /250 of its 300 connections/],
  ["the usual price of searches", { matchPrice: 1 }, /ALTER FUNCTION pg_catalog.ts_match_vq/],
  ["another minor version", { version: "15.19" }, /it has Postgres 15.19/],
  ["a role that sees little", { seesAll: false, settings: { shared_preload_libraries: null } }, /GRANT pg_monitor/],
])("%s is a warning", (_, change, problem) => {
  expect(allOf(having(change))).toEqual([{ isFault: false, problem: expect.stringMatching(problem) }]);
});

test("a clock that may be right, by what the round trip leaves open, is no fault", () => {
  expect(allOf(having({ clockAheadMs: 1_400, clockDoubtMs: 500 }))).toEqual([]);
});

test("a plain Postgres without standbys says what it has and lacks", async () => {
  const { database } = await createPlainDatabase();
  const facts = await readFacts(database);
  expect(facts).toMatchObject({ citus: null, encoding: "UTF8", seesAll: true, matchPrice: 800, standbys: [] });
  expect(Math.abs(facts.clockAheadMs)).toBeLessThan(1_000);
  expect(facts.databaseBytes).toBeGreaterThan(1e6);
  expect(generalFindings(facts, { isMigrated: true })).toEqual([]);
  expect(durabilityFaults(facts)).toMatchObject([
    { problem: expect.stringContaining("no commit waits for a standby") },
  ]);
  expect(citusFindings(facts, undefined).map(({ problem }) => problem)).toEqual(
    expect.arrayContaining([
      expect.stringContaining("must begin with citus"),
      expect.stringContaining("CREATE EXTENSION citus"),
      expect.stringMatching(/wal_level is (replica|minimal)/),
    ]),
  );
});
