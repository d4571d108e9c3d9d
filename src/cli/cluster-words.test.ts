import { expect, test } from "vitest";
import type { ServerStatus } from "../admin/cluster.ts";
import { checkText, lodgingText, movesText, progressText, splitText, statusText, sumText } from "./cluster-words.ts";

const worker: ServerStatus = {
  name: "pg1:5432",
  role: "worker",
  takesShards: true,
  isActive: true,
  trouble: null,
  shards: 32,
  accounts: 1_200,
  bytes: 5_400_000_000,
  standbys: [{ name: "pg1b", syncState: "sync", lagMs: 240, lagBytes: 16_384 }],
  longestMs: 3_240,
};
const noTables = { job: null, everywhere: ["setting"], coordinatorOnly: ["due", "incoming"] };

test("status has a line for each server, and says what an absent one does not tell", () => {
  const away = { trouble: "no answer in time", bytes: null, standbys: [], longestMs: null };
  const text = statusText({
    isCitus: true,
    ...noTables,
    servers: [
      { ...worker, name: "pg0:5432", role: "coordinator", shards: 0, accounts: 0, bytes: 0, longestMs: null },
      worker,
      { ...worker, name: "pg2:5432", ...away },
      { ...worker, name: "pg3:5432", takesShards: false, shards: 0, accounts: 0, bytes: 0, standbys: [] },
    ],
  });
  expect(text.split("\n")).toEqual([
    "NODE      ROLE         STATE    SHARDS  ACCOUNTS  BYTES    LAG                         LONGEST STATEMENT",
    "pg0:5432  coordinator  well     -       0         0 bytes  pg1b (sync) 0.2 s, 16.4 kB  -",
    "pg1:5432  worker       well     32      1200      5.4 GB   pg1b (sync) 0.2 s, 16.4 kB  3.2 s",
    "pg2:5432  worker       away     32      1200      ?        ?                           -",
    "pg3:5432  worker       drained  0       0         0 bytes  no standby                  3.2 s",
    "pg2:5432 can't be asked: no answer in time",
    "On every node: setting.",
    "On the coordinator alone: due, incoming.",
  ]);
});

test("a node that is to hold no shards, but does, is being drained", () => {
  const text = statusText({ isCitus: true, ...noTables, servers: [{ ...worker, takesShards: false }] });
  expect(text).toContain("  draining  32");
});

test("status of a plain Postgres says that it has no nodes", () => {
  const text = statusText({ isCitus: false, ...noTables, servers: [{ ...worker, name: "database", role: "alone" }] });
  expect(text).toContain("\nA plain Postgres, which has no nodes");
  expect(text).not.toContain("On every node");
});

test("check counts faults and warnings", () => {
  expect(checkText([])).toBe("All is well.");
  const found = [
    { server: "pg1:5432", isFault: true, problem: "wal_level is replica" },
    { server: null, isFault: false, problem: "DATABASE_URL lacks sslmode=verify-full" },
  ];
  expect(checkText(found)).toBe(
    "FAULT pg1:5432: wal_level is replica\nwarning: DATABASE_URL lacks sslmode=verify-full\n1 fault, 1 warning.",
  );
});

test("moves are listed from where to where, and summed", () => {
  const moves = [
    { from: "pg1:5432", to: "pg3:5432", shards: 10, accounts: 400, bytes: 2e9 },
    { from: "pg2:5432", to: "pg3:5432", shards: 1, accounts: 1, bytes: 5e8 },
  ];
  expect(movesText(moves).split("\n")[2]).toMatch(/^pg2:5432 +pg3:5432 +1 +1 +500 MB$/);
  expect(sumText(moves)).toBe("401 accounts in 11 shards, 2.5 GB");
});

const lodging = {
  login: "a@x.test",
  node: "pg1:5432",
  bytes: 5e7,
  isAlone: false,
  others: 3,
  named: ["b@x.test", "c@x.test"],
  by: "pg2:5432",
  waitMs: 12_300,
};

test("an account's neighbours are named, and what waits", () => {
  expect(lodgingText(lodging)).toBe(
    "a@x.test is on pg1:5432, in a shard of 50 MB with 3 other accounts (b@x.test, c@x.test, 1 more).",
  );
  expect(lodgingText({ ...lodging, others: 0, named: [] })).toContain("with no other account.");
  expect(lodgingText({ ...lodging, isAlone: true })).toContain("has a shard of its own on pg1:5432");
  expect(splitText(lodging)).toMatch(
    /moves to pg2:5432 and back.*writes of this account and 3 others wait for about 13 s/,
  );
  expect(splitText({ ...lodging, others: 0 })).toContain("writes of this account wait");
});

test("progress tells of the moves done, of the one under way, and of one that failed", () => {
  const job = { job: 1, state: "running" as const, moves: 12, done: 2, trouble: null };
  const copying = [{ from: "pg1:5432", to: "pg3:5432", bytes: 5e7, copied: 1e7 }];
  expect(progressText({ step: "moving", job, copying })).toBe(
    "2 of 12 moves done; pg1:5432 to pg3:5432: 10 MB of 50 MB copied",
  );
  expect(progressText({ step: "moving", job: { ...job, trouble: "ERROR: no\nDETAIL" }, copying: [] })).toBe(
    "2 of 12 moves done; trying again: ERROR: no",
  );
  expect(progressText({ step: "settling", copying: [] })).toContain("every process");
});
