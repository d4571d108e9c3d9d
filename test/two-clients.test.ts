import { expect, test } from "vitest";
import { scaled } from "./support/scale.ts";
import { type Account, openAccount } from "./support/two-clients.ts";

/** The variable OPERATIONS sets another number. */
const operations = Number(process.env.OPERATIONS ?? scaled(300, 10_000));
const seed = Number(process.env.SEED ?? 1);

type Json = Record<string, unknown>;
interface Changes {
  created: string[];
  updated: string[];
  destroyed: string[];
  newState: string;
  hasMoreChanges: boolean;
}

function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

/** A client's copy of one type, updated by /changes alone. */
class Cache {
  readonly objects = new Map<string, Json>();
  readonly #client: Account;
  readonly #type: string;
  readonly #properties: string[];
  state = "";

  constructor(client: Account, type: string, properties: string[]) {
    this.#client = client;
    this.#type = type;
    this.#properties = properties;
  }

  async #get(ids: string[] | null): Promise<Json> {
    const properties = this.#properties;
    return this.#client.call(`${this.#type}/get`, { ids, properties });
  }

  async fill(ids: string[] | null): Promise<void> {
    const { list, state } = await this.#get(ids);
    for (const object of list as Json[]) this.objects.set(object.id as string, object);
    this.state = state as string;
  }

  /** Fetched objects may be newer than the page of /changes that names them; later pages then name them again. */
  async sync(maxChanges: number | null): Promise<void> {
    for (let more = true; more; ) {
      const args = { sinceState: this.state, maxChanges };
      const page = (await this.#client.call(`${this.#type}/changes`, args)) as unknown as Changes;
      expect(page, JSON.stringify(page)).toHaveProperty("newState");
      const { created, updated, destroyed } = page;
      if (maxChanges !== null)
        expect(created.length + updated.length + destroyed.length).toBeLessThanOrEqual(maxChanges);
      for (const id of destroyed) this.objects.delete(id);
      const ids = [...created, ...updated];
      const { list, notFound } = ids.length > 0 ? await this.#get(ids) : { list: [], notFound: [] };
      for (const object of list as Json[]) this.objects.set(object.id as string, object);
      for (const id of notFound as string[]) this.objects.delete(id);
      this.state = page.newState;
      more = page.hasMoreChanges;
    }
  }
}

/** A client's copy of a list, updated by /queryChanges alone. */
class List {
  readonly args: Json;
  ids: string[] = [];
  refetched = 0;
  #state = "";
  readonly #client: Account;

  constructor(client: Account, args: Json) {
    this.#client = client;
    this.args = args;
  }

  async fetch(): Promise<{ ids: string[]; queryState: string }> {
    const answer = await this.#client.call("Email/query", this.args);
    return answer as unknown as { ids: string[]; queryState: string };
  }

  async fill(): Promise<void> {
    const { ids, queryState } = await this.fetch();
    this.ids = ids;
    this.#state = queryState;
  }

  async sync(maxChanges: number | null): Promise<void> {
    const answer = await this.#client.call("Email/queryChanges", {
      ...this.args,
      sinceQueryState: this.#state,
      maxChanges,
      calculateTotal: true,
    });
    if (answer.type === "tooManyChanges" || answer.type === "cannotCalculateChanges") {
      this.refetched++;
      return this.fill();
    }
    const { removed, added, newQueryState, total } = answer as unknown as {
      removed: string[];
      added: { id: string; index: number }[];
      newQueryState: string;
      total: number;
    };
    const gone = new Set(removed);
    this.ids = this.ids.filter((id) => !gone.has(id));
    for (const { id, index } of added) this.ids.splice(index, 0, id);
    expect(total).toBe(this.ids.length);
    this.#state = newQueryState;
  }
}

test(`a client that applies only changes has the same state as a fresh one, over ${operations} operations`, async () => {
  const random = randomFrom(seed);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const some = <T>(all: readonly T[]) => all.filter(() => random(3) === 0);
  const client = await openAccount();
  const places = client.mailboxIds;

  const caches = [
    new Cache(client, "Email", ["threadId", "mailboxIds", "keywords"]),
    new Cache(client, "Thread", ["emailIds"]),
    new Cache(client, "Mailbox", ["name", "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]),
  ];
  const byDate = { sort: [{ property: "receivedAt", isAscending: false }] };
  const lists = [
    { filter: { inMailbox: client.inbox }, ...byDate },
    { filter: { inMailbox: client.inbox }, ...byDate, collapseThreads: true },
    { filter: { hasKeyword: "$flagged" }, sort: [{ property: "subject" }] },
    { filter: { text: "even" }, ...byDate },
    { filter: { inMailbox: client.inbox, notKeyword: "$seen" }, sort: [{ property: "size" }] },
    { filter: { someInThreadHaveKeyword: "$flagged" }, ...byDate, collapseThreads: true },
    { sort: [{ property: "hasKeyword", keyword: "$seen" }, { property: "receivedAt" }] },
  ].map((args) => new List(client, args));
  for (const cache of caches) await cache.fill(null);
  for (const list of lists) await list.fill();

  let serial = 0;
  const arrive = async (): Promise<void> => {
    const n = serial++;
    const refs = some(Array.from({ length: 4 }, (_, k) => `<t${k + 4 * Math.floor(n / 40)}@x>`));
    const lines = ["From: a@example.org", `Subject: ${pick(["Re: ", ""])}topic ${random(3)}`, `Message-ID: <m${n}@x>`];
    if (refs.length > 0) lines.push(`References: ${refs.join(" ")}`);
    const bytes = Buffer.from([...lines, "", n % 2 === 0 ? "even" : "odd", "x".repeat(random(500)), ""].join("\r\n"));
    const mailboxIds = [pick(places), ...some(places)];
    const receivedAt = new Date(Date.UTC(2026, 0, 1 + random(20)));
    const keywords = some(["$flagged", "$seen", "$draft"]).sort();
    await client.add(bytes, { mailboxIds, keywords, receivedAt });
  };
  const operate = async (): Promise<number> => {
    const known = [...caches[0]!.objects.keys()];
    if (known.length > 300) {
      await client.call("Email/set", { destroy: known.slice(0, 100) });
      return 1;
    }
    const kind = random(10);
    if (known.length < 5 || kind < 4) {
      const mails = Array.from({ length: 1 + random(4) }, arrive);
      await Promise.all(mails);
      return mails.length;
    }
    const chosen = Array.from({ length: 1 + random(5) }, () => pick(known));
    const ids = [...new Set(chosen)];
    if (kind < 6) {
      const update = Object.fromEntries(
        ids.map((id) => [id, { [`keywords/${pick(["$seen", "$flagged"])}`]: pick([true, null]) }]),
      );
      await client.call("Email/set", { update });
    } else if (kind < 8) {
      const update = Object.fromEntries(ids.map((id) => [id, { mailboxIds: { [pick(places)]: true } }]));
      await client.call("Email/set", { update });
    } else if (kind < 9) await client.call("Email/set", { destroy: ids });
    else await client.call("Mailbox/set", { update: { [pick(places)]: { sortOrder: random(100) } } });
    return ids.length;
  };

  for (let done = 0; done < operations; ) {
    const burst = 1 + random(4);
    // Concurrent writes share commits.
    if (random(2) === 0) for (const count of await Promise.all(Array.from({ length: burst }, operate))) done += count;
    else for (let one = 0; one < burst; one++) done += await operate();
    for (const cache of caches) await cache.sync(pick([1, 7, null]));
    for (const list of lists) await list.sync(pick([7, null]));
    for (const cache of caches) {
      const fresh = new Cache(client, cache === caches[0] ? "Email" : cache === caches[1] ? "Thread" : "Mailbox", [
        ...Object.keys([...cache.objects.values()][0] ?? {}).filter((name) => name !== "id"),
      ]);
      // Threads have no query: take those of all emails.
      const threads = [...new Set([...caches[0]!.objects.values()].map((email) => email.threadId as string))];
      await fresh.fill(cache === caches[1] ? threads : null);
      expect(Object.fromEntries(cache.objects)).toEqual(Object.fromEntries(fresh.objects));
    }
    for (const list of lists)
      expect({ args: list.args, ids: list.ids }).toEqual({ args: list.args, ids: (await list.fetch()).ids });
  }
  // Most of the calls must have returned a difference.
  expect(lists.reduce((sum, list) => sum + list.refetched, 0)).toBeLessThan(operations);
}, 1_200_000);
