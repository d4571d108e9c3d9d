import { expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { methods } from "../../jmap/methods.ts";
import { unprepared } from "./sql.ts";

const store = await createTestStore();
const account = await createTestAccount(store);
const backend = unprepared<{ pid: number }>("SELECT pg_backend_pid() AS pid");
const end = unprepared("SELECT pg_terminate_backend($1::integer, 1000::bigint)");
const endAll = unprepared(`
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`);

test("a snapshot keeps what it has read when its connection is lost before the end", async () => {
  let runs = 0;
  const state = await store.snapshot(account, "server", async (reader) => {
    runs++;
    const state = await reader.state("Email");
    const [row] = await reader.run(backend);
    await store.database.run(end, [row!.pid]);
    return state;
  });
  expect(state).toBe(await store.reader(account, "server").state("Email"));
  expect(runs).toBe(1);
});

test("methods that only read succeed despite lost connections, never with an unknown outcome", async () => {
  const client = new TestClient(methods, testServices(store), testLogin([account]));
  const { state } = (await client.call("Email/get", { ids: [] })) as { state: string };
  let going = true;
  const read = async () => {
    let answers = 0;
    while (going) {
      expect(await client.call("Email/changes", { sinceState: state })).toMatchObject({ oldState: state, created: [] });
      answers++;
    }
    return answers;
  };
  const reading = Promise.all([read(), read(), read(), read()]);
  for (let count = 0; count < 100; count++) {
    await store.database.run(endAll).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, count % 7));
  }
  going = false;
  expect(Math.min(...(await reading))).toBeGreaterThan(0);
});
