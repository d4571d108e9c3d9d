import { beforeAll, describe, expect, test } from "vitest";
import { decodeState, type State } from "../../src/store/core/state.ts";
import type { Store } from "../../src/store/core/store.ts";
import { queryEmailChanges } from "../../src/store/email-query/changes.ts";
import type { EmailQuery } from "../../src/store/email-query/criteria.ts";
import { dateOrder } from "../../src/store/email-query/list.ts";
import { queryEmails } from "../../src/store/email-query/page.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { createTestAccount, createTestStore } from "../support/postgres.ts";
import { scaled } from "../support/scale.ts";
import { type Matches, modelList, modelPage } from "./model.ts";
import { randomFilter, randomSort, randomWindow } from "./queries.ts";
import { Chance } from "./random.ts";
import { World } from "./world.ts";

const cases = Number(process.env.POSTHORN_MODEL_CASES ?? scaled(300, 3000));
const seed = Number(process.env.POSTHORN_MODEL_SEED ?? 1);

let store: Store;
beforeAll(async () => {
  store = await createTestStore();
});

async function createWorld(nth: number): Promise<World> {
  const accountId = await createTestAccount(store);
  const places = await findMailboxes(store.reader(accountId, "server"));
  const world = new World(
    store,
    accountId,
    places.slice(0, 4).map(({ id }) => id),
    new Chance(seed * 1000 + nth),
  );
  // Some accounts are larger than the first window of a search.
  for (let left = nth % 4 === 1 ? 260 : 60; left > 0; left -= 20) await world.arrive(20);
  await world.change(10);
  return world;
}

function randomQuery(world: World): { query: EmailQuery; matches: Matches } {
  const { chance } = world;
  const meaning = randomFilter(world);
  return {
    query: {
      filter: meaning?.filter,
      sort: randomSort(chance),
      collapseThreads: chance.maybe(),
      calculateTotal: chance.maybe(),
    },
    matches: meaning?.matches ?? (() => true),
  };
}

const text = (value: unknown) => JSON.stringify(value);

describe("a random account", () => {
  test(`answers ${cases} queries as a naive model does`, { timeout: cases * 500 + 60_000 }, async () => {
    const perWorld = 100;
    for (let nth = 0; nth * perWorld < cases; nth++) {
      const world = await createWorld(nth);
      for (let at = 0; at < Math.min(perWorld, cases - nth * perWorld); at++) {
        const { query, matches } = randomQuery(world);
        const list = modelList(world.emails, query, matches);
        const window = randomWindow(world.chance, list, world);
        const page = await queryEmails(store.reader(world.accountId, "server"), query, window);
        expect(page, `world ${nth} case ${at}: ${text(query)} ${text(window)}`).toEqual(
          modelPage(list, window, query.calculateTotal),
        );
      }
    }
  });
});

/** RFC 8620 §5.6: applies the answer as a client does; null stands for an id that the client does not know. */
function splice(
  old: (number | null)[],
  { removed, added, total }: { removed: number[]; added: { id: number; index: number }[]; total?: number },
): (number | null)[] {
  const gone = new Set(removed);
  const list = old.filter((id) => id === null || !gone.has(id));
  for (const { id, index } of added) {
    while (list.length < index) list.push(null);
    list.splice(index, 0, id);
  }
  if (total !== undefined) {
    list.length = Math.min(list.length, total);
    while (list.length < total) list.push(null);
  }
  return list;
}

describe("changes of a random account", () => {
  test(`bring ${cases} old lists up to date`, { timeout: cases * 500 + 60_000 }, async () => {
    const perWorld = 40;
    for (let nth = 0; nth * perWorld < cases; nth++) {
      const world = await createWorld(10_000 + nth);
      const reader = () => store.reader(world.accountId, "server");
      const since = decodeState(await reader().state("Email")) as State;
      const old = Array.from({ length: perWorld }, () => {
        const { query, matches } = randomQuery(world);
        return { query, matches, list: modelList(world.emails, query, matches) };
      });
      for (let step = world.chance.int(1, 3); step > 0; step--) {
        if (world.chance.maybe()) await world.arrive(world.chance.int(1, 4));
        if (world.chance.maybe()) await world.change(world.chance.int(1, 5));
        if (world.chance.maybe(0.3)) await world.destroy(world.chance.int(1, 3));
      }
      for (const { query, matches, list } of old) {
        const now = modelList(world.emails, query, matches);
        const request = { since, upToId: undefined, maxChanges: undefined };
        const changes = await queryEmailChanges(reader(), { ...query, calculateTotal: true }, request);
        if (typeof changes === "string") throw new Error(`${changes}: ${text(query)}`);
        expect(changes.total, text(query)).toBe(now.length);
        expect(splice(list, changes), `world ${nth}: ${text(query)}`).toEqual(now);
        expect(changes.added.map(({ index }) => index)).toEqual(
          changes.added.map(({ index }) => index).toSorted((a, b) => a - b),
        );
        const count = changes.removed.length + changes.added.length;
        const atMost = async (maxChanges: number) => queryEmailChanges(reader(), query, { ...request, maxChanges });
        expect(await atMost(count)).not.toBe("tooManyChanges");
        if (count > 0) expect(await atMost(count - 1)).toBe("tooManyChanges");
        await expectPrefix(world, query, list, now, since);
      }
    }
  });
});

/** A client that knows only the first ids, and passes upToId, is right about the ids it knows. */
async function expectPrefix(world: World, query: EmailQuery, list: number[], now: number[], since: State) {
  if (list.length < 2) return;
  const known = world.chance.int(1, list.length - 1);
  const upToId = list[known - 1]!;
  const sparse = list.map((id, index) => (index < known ? id : null));
  const request = { since, upToId, maxChanges: undefined };
  const changes = await queryEmailChanges(
    store.reader(world.accountId, "server"),
    { ...query, calculateTotal: true },
    request,
  );
  if (typeof changes === "string") throw new Error(`${changes}: ${text(query)}`);
  const after = splice(sparse, changes);
  expect(after.length).toBe(now.length);
  const end = now.indexOf(upToId);
  // Removals below that id are not reported either, when positions do not change.
  if (end >= 0 && dateOrder(query.sort) && !/inMailbox|Keyword|InThread/.test(text(query.filter))) {
    const told = list.slice(known).filter((id) => changes.removed.includes(id));
    expect(told, `${text(query)} up to ${upToId}`).toEqual([]);
  }
  after.forEach((id, index) => {
    if (id !== null && (end < 0 || index <= end)) expect(id, `${text(query)} up to ${upToId}`).toBe(now[index]);
  });
  // If that id has moved down, the ids that it passed were never reported.
  if (end >= 0 && !changes.removed.includes(upToId))
    expect(after.slice(0, end + 1), text(query)).toEqual(now.slice(0, end + 1));
}
