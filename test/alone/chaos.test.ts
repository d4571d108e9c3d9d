import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Chaos } from "../chaos/chaos.ts";
import { figuresOf } from "../chaos/figures.ts";
import type { Place } from "../chaos/installation.ts";
import { tableOf } from "../chaos/report.ts";
import type { Planned } from "../chaos/schedule.ts";

/** The short form of `npm run chaos`: the same faults each time, of one kind after the other. */
const trafficMs = 22_000;
const faultMs = 2_500;
const everyMs = 5_000;
const firstMs = 2_000;

const parts: { bodies: Place["bodies"]; faults: string[] }[] = [
  { bodies: "s3", faults: ["http 1 is killed", "redis hangs", "s3 is away", "smtp-in 1 hangs"] },
  {
    bodies: "disk",
    faults: ["the database is killed", "worker is killed", "the disk of the processes is full", "the database hangs"],
  },
];

describe.each(parts)("with bodies in $bodies", ({ bodies, faults }) => {
  let chaos: Chaos;

  beforeAll(async () => {
    chaos = await Chaos.start({ citusUrl: undefined, citusData: [], bodies }, 1);
  }, 60_000);
  afterAll(() => chaos?.dispose());

  test(`mail and calls go on while ${faults.join(", ")}`, async () => {
    // What this machine lacks is left out: it is no root, or has no Redis.
    const possible = faults.flatMap((name) => chaos.faults.find((fault) => fault.name === name) ?? []);
    const plan = possible.map((fault, at): Planned => {
      const beginMs = firstMs + at * everyMs;
      return { fault, beginMs, endMs: beginMs + faultMs };
    });
    await chaos.letLoose(plan, trafficMs, console.log);
    console.log(tableOf(figuresOf(chaos.world.samples.all, chaos.happened, chaos.startedAt)));
    const { acknowledged } = chaos.world.ledger;
    expect(acknowledged["mails in"]).toBeGreaterThan(50);
    expect(acknowledged.submissions).toBeGreaterThan(5);
    expect(chaos.skipped).toBe(0);
    expect(chaos.happened.length).toBeGreaterThan(1);
  }, 60_000);

  test("all that was acknowledged is there once, and every client has the same as the server", async () => {
    const { problems } = await chaos.examine();
    expect(problems).toEqual([]);
  }, 60_000);
});
