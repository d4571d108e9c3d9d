import { beforeAll, describe, expect, test } from "vitest";
import { maxPhrase } from "../src/search/search-rows.ts";
import { unprepared } from "../src/store/core/sql.ts";
import type { Store } from "../src/store/core/store.ts";
import { createEmailWorld, type EmailWorld, type Json } from "./support/email-world.ts";
import { testServices } from "./support/jmap.ts";
import { createMailServices } from "./support/mail.ts";
import { createTestStore } from "./support/postgres.ts";
import { isNightly, scaled } from "./support/scale.ts";

let store: Store;
let world: EmailWorld;

beforeAll(async () => {
  store = await createTestStore();
  world = await createEmailWorld(testServices(store, createMailServices(store)));
});

/** Delivers a message and returns its id. */
async function add(body: string, header = "Subject: long"): Promise<string> {
  const blobId = await world.upload(`From: a@example.org\r\n${header}\r\n\r\n${body}\r\n`);
  const answer = await world.client.call("Email/import", {
    emails: { a: { blobId, mailboxIds: { [world.inbox]: true } } },
  });
  return (answer.created as Record<string, { id: string }>).a!.id;
}

async function find(filter: Json): Promise<unknown> {
  const response = await world.client.call("Email/query", { filter, calculateTotal: true });
  if (response.ids) expect(response.total).toBe((response.ids as string[]).length);
  return response.ids ?? response.type;
}

const not = (...conditions: Json[]): Json => ({ operator: "NOT", conditions });
const and = (...conditions: Json[]): Json => ({ operator: "AND", conditions });
const or = (...conditions: Json[]): Json => ({ operator: "OR", conditions });
const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join("\r\n");

describe("more uses of a word than one row of the index can hold", () => {
  test("break no phrase after them", async () => {
    const usual = lines(256, (n) => `line ${n} mentions the usual things again and again`);
    const id = await add(`${usual}\r\nand then they jump over the lazy dog`);
    for (const body of ['"over the lazy"', '"255 mentions the usual"', '"again and again and then they jump"']) {
      expect(await find({ body }), body).toEqual([id]);
    }
    for (const body of ['"over lazy"', '"lazy dog line"', '"again mentions"']) {
      expect(await find({ body }), body).toEqual([]);
    }
  });

  test("hide no address, in the body or in a header field", async () => {
    const log = await add(lines(300, (n) => `user${n}@corp.example logged in`));
    for (const n of [0, 254, 255, 299]) {
      expect(await find({ body: `user${n}@corp.example` })).toEqual([log]);
      expect(await find({ text: `"user${n}@corp.example logged in"` })).toEqual([log]);
    }
    expect(await find({ text: "user300@corp.example" })).toEqual([]);
    const to = Array.from({ length: 300 }, (_, n) => `p${n}@many.example`).join(",\r\n ");
    const many = await add("hello", `Subject: many\r\nTo: ${to}`);
    for (const n of [0, 255, 299]) {
      expect(await find({ to: `p${n}@many.example` })).toEqual([many]);
      expect(await find({ text: `p${n}@many.example` })).toEqual([many]);
    }
    expect(await find({ to: "p300@many.example" })).toEqual([]);
    expect(await find({ cc: "p299@many.example" })).toEqual([]);
    expect(await find({ body: "p299@many.example" })).toEqual([]);
    expect(await find(and({ to: "p0@many.example" }, { body: "hello" }, { subject: "many" }))).toEqual([many]);
  });
});

describe("a message whose words begin and end in different rows", () => {
  const filler = lines(12_000, (n) => `f${n % 97} g${n % 89} h${n % 83}`);
  let id: string;

  beforeAll(async () => {
    id = await add(`alphaword startphrase ${filler} endphrase omegaword`, "Subject: spanning");
  });

  test("is found by words of both rows", async () => {
    const rows = await store
      .reader(world.account, "server")
      .run(unprepared<{ part: number }>("SELECT part FROM search_part WHERE user_id = $1 AND part > 2"), [
        world.account,
      ]);
    expect(rows.length).toBeGreaterThan(0);
    expect(await find({ text: "alphaword omegaword" })).toEqual([id]);
    expect(await find(and({ body: "alphaword" }, { body: '"endphrase omegaword"' }))).toEqual([id]);
    expect(await find({ text: "spanning omegaw*" })).toEqual([id]);
    expect(await find(or({ text: "alphaword absentword" }, { text: "omegaword absentword" }))).toEqual([]);
  });

  test("is found by very many phrases at once", async () => {
    const absent = Array.from({ length: 60 }, (_, n) => ({ text: `absent${n}` }));
    expect(await find(or(...absent, { text: "omegaword" }))).toEqual([id]);
    expect(await find(or(...absent))).toEqual([]);
  });

  test("is excluded by a negated word that is in another row", async () => {
    const other = await add("alphaword alone", "Subject: short");
    expect(await find({ text: "alphaword -omegaword" })).toEqual([other]);
    expect(await find({ text: "omegaword -alphaword" })).toEqual([]);
    expect(await find(and({ subject: "spanning" }, not({ body: "omegaword" })))).toEqual([]);
    expect(await find(and({ subject: "spanning" }, not({ body: "absentword" })))).toEqual([id]);
    const without = (await find(not({ body: "omegaword" }))) as string[];
    expect(without).toContain(other);
    expect(without).not.toContain(id);
    expect(await find(not(not({ text: "alphaword" }, { text: "absentword" })))).toEqual([other, id]);
    await world.client.call("Email/set", { destroy: [other] });
  });

  test("is found in its mailbox, in every order and by its thread", async () => {
    const filter = and({ inMailbox: world.inbox }, { text: "alphaword omegaword" });
    for (const property of ["receivedAt", "size", "subject"]) {
      for (const collapseThreads of [false, true]) {
        const sort = [{ property, isAscending: false }];
        expect(await world.client.call("Email/query", { filter, sort, collapseThreads })).toMatchObject({ ids: [id] });
      }
    }
    const anchored = { filter: { text: "omegaword" }, anchor: id, limit: 1 };
    expect(await world.client.call("Email/query", anchored)).toMatchObject({ ids: [id], position: 0 });
  });

  test("leaves the index when it is destroyed", async () => {
    const gone = await add(`${lines(300, () => "over")} and gone`, "Subject: gone");
    expect(await find({ subject: "gone" })).toEqual([gone]);
    const count = async () =>
      (
        await store
          .reader(world.account, "server")
          .run(unprepared<{ no: number }>("SELECT DISTINCT no FROM search_part WHERE user_id = $1"), [world.account])
      ).length;
    const before = await count();
    await world.client.call("Email/set", { destroy: [gone] });
    expect(await count()).toBe(before - 1);
    expect(await find({ subject: "gone" })).toEqual([]);
  });
});

describe("phrases", () => {
  test("are found at every position, across every boundary of rows", async () => {
    const words = Array.from({ length: 25_000 }, (_, n) => `seam${n}`);
    const id = await add(words.join(" "));
    for (const [start, length] of [
      [0, maxPhrase],
      [9_899, maxPhrase],
      [9_950, maxPhrase],
      [9_999, 2],
      [10_000, maxPhrase],
      [16_380, 10],
      [19_801, maxPhrase],
      [24_900, maxPhrase],
    ] as const) {
      const body = `"${words.slice(start, start + length).join(" ")}"`;
      expect(await find({ body }), `${start} ${length}`).toEqual([id]);
    }
    expect(await find({ body: '"seam9999 seam10001"' })).toEqual([]);
    expect(await find({ body: '"seam24999 seam0"' })).toEqual([]);
  });

  test("of more words than two rows share are refused", async () => {
    const words = (count: number) => `"${Array.from({ length: count }, (_, n) => `w${n}`).join(" ")}"`;
    expect(await find({ body: words(maxPhrase) })).toEqual([]);
    expect(await find({ body: words(maxPhrase + 1) })).toBe("unsupportedFilter");
  });

  test("are found between repeated texts", async () => {
    const again = "and so on for a while ".repeat(2000);
    const id = await add(`${again}until something happens ${again}and then the end`);
    for (const body of ['"while until something happens and so"', '"for a while and then the end"', '"while and so"']) {
      expect(await find({ body }), body).toEqual([id]);
    }
    for (const body of ['"while until and"', '"so on until"', '"happens and then"']) {
      expect(await find({ body }), body).toEqual([]);
    }
    const rows = await store
      .reader(world.account, "server")
      .run(
        unprepared<{ count: number }>(
          "SELECT count(*) AS count FROM search_part WHERE user_id = $1 GROUP BY no ORDER BY no DESC LIMIT 1",
        ),
        [world.account],
      );
    expect(rows[0]!.count).toBeLessThan(10);
  });
});

describe("a word of more octets than a term may have", () => {
  const long = `begin${"x".repeat(500)}`;

  test("is found by the whole word and by its beginning", async () => {
    const id = await add(`here ${long} and ${long}y then`);
    const wide = "я".repeat(200);
    const other = await add(`=?`, `Subject: =?utf-8?B?${Buffer.from(wide).toString("base64")}?=`);
    expect(await find({ text: long })).toEqual([id]);
    expect(await find({ text: `"here ${long} and ${long}y then"` })).toEqual([id]);
    expect(await find({ text: `${long}z` })).toEqual([]);
    expect(await find({ text: `begin${"x".repeat(100)}*` })).toEqual([id]);
    expect(await find({ text: "begin*" })).toEqual([id]);
    expect(await find({ text: long.slice(0, 300) })).toEqual([]);
    expect(await find({ subject: wide })).toEqual([other]);
    expect(await find({ subject: `${"я".repeat(90)}*` })).toEqual([other]);
    expect(await find({ subject: `${wide}я` })).toEqual([]);
  });

  test("is refused in a prefix search that is too long", async () => {
    expect(await find({ text: `${long}*` })).toBe("unsupportedFilter");
  });
});

const megabytes = scaled(2, 20);

test(`each of the words of ${megabytes} MB is found`, { timeout: isNightly ? 300_000 : 30_000 }, async () => {
  const word = (n: number) => `q${n.toString(36)}z`;
  const words: string[] = [];
  for (let size = 0; size < megabytes * 1_000_000; size += words.at(-1)!.length + 1) words.push(word(words.length));
  const start = performance.now();
  const id = await add(words.join("\r\n"), "Subject: everything");
  expect(performance.now() - start).toBeLessThan(megabytes * 10_000);
  const last = words.length - 1;
  for (const n of [0, 1, 9_999, 10_000, 20_001, Math.floor(last / 2), last - 1, last]) {
    expect(await find({ body: word(n) })).toEqual([id]);
    expect(await find({ text: `everything ${word(0)} ${word(n)}` })).toEqual([id]);
  }
  expect(await find({ body: `"${words.slice(-50).join(" ")}"` })).toEqual([id]);
  expect(await find({ body: word(last + 1) })).toEqual([]);
  expect(await find({ body: `${word(0)} -${word(last)}` })).toEqual([]);
});
