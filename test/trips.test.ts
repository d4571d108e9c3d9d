import { beforeAll, expect, test } from "vitest";
import { fillInbox, inboxOf } from "../bench/fill.ts";
import { expected } from "../bench/mails.ts";
import { type Box, nextMail, scenarios } from "../bench/scenarios.ts";
import { connect, one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { QueryResult } from "../conformance/client/types.ts";
import { startMailHost } from "./smtp/host.ts";
import { createHttpWorld, known } from "./support/http-world.ts";
import { tripsOf } from "./support/trips.ts";

const count = 60;
let box: Box;

beforeAll(async () => {
  const { port } = await createHttpWorld();
  const login = { url: `http://127.0.0.1:${port}`, ...known };
  await fillInbox(login, "trips", count, () => {});
  const main = await connect(login);
  const inbox = await inboxOf(main);
  const query = { filter: { inMailbox: inbox.id }, sort: [{ property: "receivedAt", isAscending: false }] };
  const { ids } = await one<QueryResult>(main, "Email/query", query);
  box = { count, owner: "trips", expected: expected(count), inbox: inbox.id, newest: ids, main };
}, 60_000);

/** The fewest trips of several runs, since the first ones open connections and prepare statements. */
async function least(work: (n: number) => Promise<unknown>): Promise<string[][]> {
  const runs: string[][][] = [];
  for (let n = 0; n < 4; n++) runs.push(await tripsOf(() => work(n)));
  return runs.toSorted((a, b) => a.length - b.length)[0]!;
}

/** Budgets of the bench's scenarios, each in the state in which the bench measures it. */
const budgets = { read: 1, unread: 1, page: 1, open: 4, sync: 3, flag: 3, seen: 4, upload: 2, import: 6 };

test.each(Object.entries(budgets))("%s: %d trips to Postgres", async (name, budget) => {
  const { operation, beforeRound } = await scenarios.find((scenario) => scenario.name === name)!.prepare(box);
  await beforeRound?.(10);
  const trips = await least((n) => operation(box.main, n));
  expect(trips.length, JSON.stringify(trips, null, 1)).toBeLessThanOrEqual(budget);
  expect(trips.length).toBeGreaterThan(0);
});

test("delivering a mail: 9 trips to Postgres", async () => {
  const host = await startMailHost();
  try {
    await host.listen();
    await host.account("jo@here.test");
    const trips = await least(async () => {
      const to = { port: host.smtpPort, from: "a@remote.test", to: "jo@here.test", timeoutMs: 10_000 };
      await deliver({ ...to, data: nextMail("jo").toString("latin1") });
      await host.incoming.idle();
    });
    expect(trips.length, JSON.stringify(trips, null, 1)).toBeLessThanOrEqual(9);
    expect(host.changes.length).toBeGreaterThanOrEqual(4);
  } finally {
    await host.stop();
  }
});
