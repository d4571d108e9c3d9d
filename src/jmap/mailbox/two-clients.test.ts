import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import type { Store } from "../../store/core/store.ts";
import { methods } from "../methods.ts";

type Row = Record<string, unknown> & { id: string };
type Args = Record<string, unknown>;

let store: Store;
beforeAll(async () => {
  store = await createTestStore();
});

const queries: Args[] = [
  {},
  { sort: [{ property: "name" }] },
  { filter: { hasAnyRole: false }, sort: [{ property: "sortOrder", isAscending: false }, { property: "name" }] },
  { filter: { operator: "NOT", conditions: [{ name: "b" }] }, sort: [{ property: "name" }], sortAsTree: true },
  { filter: { isSubscribed: true }, filterAsTree: true },
];

/** A client that knows only what /changes and /queryChanges reported. */
class Follower {
  readonly #client: TestClient;
  readonly #maxChanges: number | null;
  readonly #objects = new Map<string, Row>();
  readonly #results: string[][] = [];
  readonly #queryStates: string[] = [];
  #state = "";

  constructor(client: TestClient, maxChanges: number | null) {
    this.#client = client;
    this.#maxChanges = maxChanges;
  }

  async start(): Promise<void> {
    const { state, list } = await this.#client.call("Mailbox/get");
    this.#state = state as string;
    for (const row of list as Row[]) this.#objects.set(row.id, row);
    for (const [index, query] of queries.entries()) {
      const { ids, queryState } = await this.#client.call("Mailbox/query", query);
      this.#results[index] = ids as string[];
      this.#queryStates[index] = queryState as string;
    }
  }

  async follow(): Promise<void> {
    for (let more = true; more; ) {
      const args = { sinceState: this.#state, maxChanges: this.#maxChanges };
      const page = await this.#client.call("Mailbox/changes", args);
      const { created, updated, destroyed } = page as Record<string, string[]>;
      const size = created!.length + updated!.length + destroyed!.length;
      expect(size).toBeLessThanOrEqual(this.#maxChanges ?? Number.POSITIVE_INFINITY);
      for (const id of created!) expect(this.#objects.has(id)).toBe(false);
      const { list, notFound } = await this.#client.call("Mailbox/get", { ids: [...created!, ...updated!] });
      for (const row of list as Row[]) this.#objects.set(row.id, row);
      // Destroyed since then: a later page reports that, if the id is known.
      for (const id of notFound as string[]) this.#objects.set(id, { id });
      for (const id of destroyed!) expect(this.#objects.delete(id)).toBe(true);
      this.#state = page.newState as string;
      more = page.hasMoreChanges as boolean;
    }
    for (const [index, query] of queries.entries()) await this.#followQuery(index, query);
  }

  async #followQuery(index: number, query: Args): Promise<void> {
    const args = { ...query, sinceQueryState: this.#queryStates[index], calculateTotal: true };
    const changes = await this.#client.call("Mailbox/queryChanges", args);
    const removed = new Set(changes.removed as string[]);
    const ids = this.#results[index]!.filter((id) => !removed.has(id));
    for (const item of changes.added as { id: string; index: number }[]) ids.splice(item.index, 0, item.id);
    expect(ids).toHaveLength(changes.total as number);
    this.#results[index] = ids;
    this.#queryStates[index] = changes.newQueryState as string;
  }

  async expectSameAsFresh(): Promise<void> {
    const { list } = await this.#client.call("Mailbox/get");
    const byId = (rows: Row[]) => rows.sort((a, b) => a.id.localeCompare(b.id));
    expect(byId([...this.#objects.values()])).toEqual(byId(list as Row[]));
    for (const [index, query] of queries.entries()) {
      expect(this.#results[index]).toEqual((await this.#client.call("Mailbox/query", query)).ids);
    }
  }
}

const name = fc.constantFrom("a", "b", "ab", "B", "c", "d");
const pick = fc.nat(20);
const change = fc.oneof(
  fc.record({ kind: fc.constant("create"), name, parent: fc.option(pick) }),
  fc.record({ kind: fc.constant("rename"), target: pick, name }),
  fc.record({ kind: fc.constant("move"), target: pick, parent: fc.option(pick) }),
  fc.record({ kind: fc.constant("order"), target: pick, order: fc.nat(3) }),
  fc.record({ kind: fc.constant("subscribe"), target: pick, on: fc.boolean() }),
  fc.record({ kind: fc.constant("destroy"), target: pick }),
);
type Change = { kind: string; target?: number; parent?: number | null; name?: string; order?: number; on?: boolean };

function toSet({ kind, target = 0, parent, name, order, on }: Change, ids: string[]): Args {
  const at = (index: number) => ids[index % ids.length]!;
  const parentId = parent === null || parent === undefined ? null : at(parent);
  if (kind === "create") return { create: { k: { name, parentId } } };
  if (kind === "destroy") return { destroy: [at(target)] };
  const patches: Record<string, Args> = {
    rename: { name },
    move: { parentId },
    order: { sortOrder: order },
    subscribe: { isSubscribed: on },
  };
  return { update: { [at(target)]: patches[kind] } };
}

test("a client that applies only changes ends with what a fresh client sees", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), async (rounds) => {
      const login = testLogin([await createTestAccount(store)]);
      const client = new TestClient(methods, testServices(store), login);
      const followers = [1, 7, null].map((maxChanges) => new Follower(client, maxChanges));
      for (const follower of followers) await follower.start();
      for (const round of rounds) {
        for (const step of round) {
          const { list } = await client.call("Mailbox/get", { properties: [] });
          await client.call(
            "Mailbox/set",
            toSet(
              step,
              (list as Row[]).map(({ id }) => id),
            ),
          );
        }
        for (const follower of followers) {
          await follower.follow();
          await follower.expectSameAsFresh();
        }
      }
    }),
    { numRuns: 30 },
  );
});
