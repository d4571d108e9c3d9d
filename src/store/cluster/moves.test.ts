import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createPlainDatabase } from "../../../test/support/postgres.ts";
import type { Database } from "../core/database.ts";
import { type Executor, unprepared } from "../core/sql.ts";
import { moveShard, partsOf } from "./moves.ts";

const range = { shard: 1, group: 1, min: -10, max: 20 };
const to = { accountTo: 5, othersTo: 6 };

test.each([
  ["amid its range", 3, { ends: ["2", "3"], nodes: [6, 5, 6] }],
  ["at its beginning", -10, { ends: ["-10"], nodes: [5, 6] }],
  ["at its end", 20, { ends: ["19"], nodes: [6, 5] }],
])("an account %s gets a part of its own", (_, hash, parts) => {
  expect(partsOf({ range, hash, ...to })).toEqual(parts);
});

test("a move that is interrupted just before it begins is undone too", async () => {
  const { database } = await createPlainDatabase();
  // Where Citus is not, a function that takes as long as a move.
  await database.run(
    unprepared(`/* test */ CREATE FUNCTION citus_move_shard_placement(bigint, text, integer, text, integer, text)
      RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(20)'`),
  );
  const abort = new AbortController();
  const late: Pick<Database, "run" | "connected"> = {
    run: (...statement) => database.run(...statement),
    connected: (work) =>
      database.connected((executor) => {
        const run: Executor["run"] = async (statement, ...values) => {
          if (statement.text.includes("citus_move_shard_placement")) {
            abort.abort();
            await sleep(200);
          }
          return executor.run(statement, ...values);
        };
        return work({ run, count: (...statement) => executor.count(...statement) });
      }),
  };
  const node = { host: "a", port: 1 };
  const begin = performance.now();
  const moving = moveShard(late as Database, { shard: 1, from: node, to: node }, abort.signal);
  await expect(moving).rejects.toMatchObject({ code: "57014" });
  expect(performance.now() - begin).toBeLessThan(10_000);
});
