import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { durabilities, faultsOf } from "./durability.ts";

test("a server without standbys is found at fault", async () => {
  const { database } = await createTestDatabase();
  const found = await durabilities(database);
  expect(found).toMatchObject([{ server: "database", synchronousStandbyNames: "", standbys: [] }]);
  expect(found.map(faultsOf)).toEqual([["synchronous_standby_names is empty: no commit waits for a standby"]]);
});

const well = {
  server: "node 1",
  synchronousStandbyNames: "*",
  synchronousCommit: "on",
  standbys: [{ name: "walreceiver", syncState: "sync" }],
};

test.each([
  ["nothing", {}, []],
  ["remote_apply", { synchronousCommit: "remote_apply" }, []],
  ["local", { synchronousCommit: "local" }, ["synchronous_commit is local: no commit waits for a standby"]],
  ["no standby", { standbys: [] }, ["no standby is connected: commits wait until one is"]],
])("the faults with %s", (_, change, faults) => {
  expect(faultsOf({ ...well, ...change })).toEqual(faults);
});
