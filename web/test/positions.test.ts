import fc from "fast-check";
import { expect, test } from "vitest";
import { Positions } from "../shared/store/positions.ts";

/** What a server has, how it changes, and which pages a client looks at. */
const story = fc.record({
  length: fc.integer({ min: 0, max: 60 }),
  pages: fc.array(fc.nat({ max: 59 }), { maxLength: 4 }),
  rounds: fc.array(
    fc.record({
      gone: fc.array(fc.nat({ max: 99 }), { maxLength: 5 }),
      come: fc.array(fc.nat({ max: 99 }), { maxLength: 5 }),
      /** Ids that never matched, which RFC 8620 §5.6 allows. */
      strange: fc.nat({ max: 3 }),
      hidden: fc.array(fc.nat({ max: 99 }), { maxLength: 3 }),
    }),
    { maxLength: 6 },
  ),
});

test("whatever changes, no row ever shows another mail than the server has there", () => {
  fc.assert(
    fc.property(story, ({ length, pages, rounds }) => {
      let server = Array.from({ length }, (_, at) => `e${at}`);
      let made = length;
      const client = new Positions();
      client.reset(length);
      for (const page of pages) client.place(page, server.slice(page, page + 7));
      for (const { gone, come, strange, hidden } of rounds) {
        const removed = new Set(
          gone.map((at) => server[at % Math.max(1, server.length)]).filter((id) => id !== undefined),
        );
        const kept = server.filter((id) => !removed.has(id));
        for (const at of come) kept.splice(at % (kept.length + 1), 0, `e${made++}`);
        const known = new Set(server);
        const added = kept.flatMap((id, index) => (known.has(id) ? [] : [{ id, index }]));
        // Rows that will go are hidden before the server says so.
        const hides = new Set(hidden.map((at) => server[at % Math.max(1, server.length)]));
        client.hide(
          (id) => hides.has(id),
          () => true,
        );
        const strangers = Array.from({ length: strange }, (_, at) => `x${at}`);
        client.apply({ removed: [...removed, ...strangers], added, total: kept.length });
        client.hide(
          () => true,
          () => false,
        );
        server = kept;
        expect(client.length).toBe(server.length);
        for (let row = 0; row < server.length; row++) expect([undefined, server[row]]).toContain(client.idAt(row));
        for (const id of client.known()) expect(client.indexOf(id)).toBe(server.indexOf(id));
      }
    }),
    { numRuns: 500 },
  );
});

test("hidden rows are skipped, and come back where they were", () => {
  const list = new Positions();
  list.reset(5);
  list.place(0, ["a", "b", "c", "d", "e"]);
  const hide = (hidden: string[]) =>
    list.hide(
      () => true,
      (id) => hidden.includes(id),
    );
  expect(hide(["b", "d"])).toBe(true);
  expect([list.length, list.idAt(1), list.indexOf("e"), list.indexOf("b"), list.toServer(2)]).toEqual([
    3,
    "c",
    2,
    -1,
    4,
  ]);
  expect(hide(["b", "d"])).toBe(false);
  hide([]);
  expect(list.known()).toEqual(["a", "b", "c", "d", "e"]);
});
