import { describe, expect, test } from "vitest";
import { countsBetweenProcessesContract, sharedCountsContract } from "../../../test/support/contracts/shared-counts.ts";
import { linkedLines } from "../../../test/support/linked-ports.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { ChildCounts, ParentCounts } from "./shared-counts.ts";

let parent: { clock: Clock; counts: ParentCounts } | undefined;

/** The counts of one more child of the same parent. */
function make(clock: Clock): ChildCounts {
  if (parent?.clock !== clock) parent = { clock, counts: new ParentCounts(clock) };
  const lines = linkedLines();
  parent.counts.serve(lines.parent);
  return new ChildCounts(lines.child);
}

describe("ChildCounts", () => {
  sharedCountsContract(make);
  countsBetweenProcessesContract(make);

  test("the places of a child that dies come free", async () => {
    const counts = new ParentCounts(systemClock);
    const [one, two] = [linkedLines(), linkedLines()];
    for (const { parent } of [one, two]) counts.serve(parent);
    const dying = new ChildCounts(one.child).placeLimit("places", { max: 3 });
    const other = new ChildCounts(two.child).placeLimit("places", { max: 3 });
    for (let count = 0; count < 3; count++) expect(await dying.take("a")).toBe(true);
    expect(await other.take("a")).toBe(true);
    expect(await other.take("a")).toBe(false);
    one.end();
    expect(await other.take("a")).toBe(true);
    expect(await other.take("a")).toBe(true);
    expect(await other.take("a")).toBe(false);
  });

  test("takes and leaves at the same time never leak a place", async () => {
    const counts = new ParentCounts(systemClock);
    const limits = [1, 2, 3].map(() => {
      const lines = linkedLines();
      counts.serve(lines.parent);
      return new ChildCounts(lines.child).placeLimit("places", { max: 5 });
    });
    let open = 0;
    let most = 0;
    const client = async (index: number) => {
      const limit = limits[index % limits.length]!;
      for (let round = 0; round < 50; round++) {
        if (!(await limit.take("a"))) continue;
        most = Math.max(most, ++open);
        if (round % 3 > 0) await new Promise((resolve) => setImmediate(resolve));
        open--;
        limit.leave("a");
      }
    };
    await Promise.all(Array.from({ length: 24 }, (_, index) => client(index)));
    // Each child may go beyond the limit by one place.
    expect(most).toBeGreaterThanOrEqual(5);
    expect(most).toBeLessThanOrEqual(5 + limits.length);
    const [first] = limits;
    for (let count = 0; count < 5; count++) expect(await first!.take("a")).toBe(true);
    expect(await first!.take("a")).toBe(false);
  });

  test("a client with one request at a time costs no message", async () => {
    const lines = linkedLines();
    const places = new ChildCounts(lines.child).placeLimit("places", { max: 5 });
    let asked = 0;
    lines.parent.hear("place", () => ++asked > 0);
    for (let count = 0; count < 10; count++) {
      expect(places.take("a")).toBe(true);
      places.leave("a");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toBe(0);
  });
});
