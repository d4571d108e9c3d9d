import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exponential, generator, poisson } from "../../bench/random.ts";
import { Agenda } from "../../bench/simulate/agenda.ts";
import { chart } from "../../bench/simulate/chart.ts";
import { Delays } from "../../bench/simulate/delays.ts";
import { Line } from "../../bench/simulate/line.ts";
import { values } from "../../bench/simulate/parameters.ts";
import { sizesPage, weekPage } from "../../bench/simulate/report.ts";
import { simulate } from "../../bench/simulate/simulate.ts";
import { packsPerSecond, sitesFor } from "../../bench/simulate/sizes.ts";
import { meanWait, type Queue, waitAt, waitProbability } from "../../bench/simulate/waiting.ts";

/** Mail by mail, each with its own arrival and service time: M/M/c as it is defined. */
function waitsOneByOne({ servers, load, serviceSeconds }: Queue, count: number): number[] {
  const random = generator(7);
  const agenda = new Agenda();
  const waits: number[] = [];
  const line: number[] = [];
  let free = servers;
  const begin = (arrivedAt: number): void => {
    free--;
    waits.push(agenda.now - arrivedAt);
    agenda.at(agenda.now + exponential(random, serviceSeconds), () => {
      free++;
      const next = line.shift();
      if (next !== undefined) begin(next);
    });
  };
  const arrive = (left: number): void => {
    if (free > 0) begin(agenda.now);
    else line.push(agenda.now);
    if (left > 1) agenda.at(agenda.now + exponential(random, serviceSeconds / load), () => arrive(left - 1));
  };
  arrive(count);
  agenda.run(Number.POSITIVE_INFINITY);
  return waits;
}

describe("the simulation's queues", () => {
  it("knows how long mails wait for one of several cores", () => {
    expect(waitProbability({ servers: 1, load: 0.6 })).toBeCloseTo(0.6, 10);
    expect(waitProbability({ servers: 2, load: 1 })).toBeCloseTo(1 / 3, 10);
    expect(waitProbability({ servers: 10, load: 8 })).toBeCloseTo(0.4092, 4);
    expect(meanWait({ servers: 1, load: 0.5, serviceSeconds: 2 })).toBeCloseTo(2, 10);
  });

  it.each([
    { servers: 1, load: 0.7, serviceSeconds: 0.003 },
    { servers: 4, load: 3.2, serviceSeconds: 0.003 },
    { servers: 12, load: 9, serviceSeconds: 0.003 },
  ])("agrees with mails that are simulated one by one: $servers cores, $load busy", (queue) => {
    const count = 1_000_000;
    const waits = waitsOneByOne(queue, count).sort((a, b) => a - b);
    expect(waits).toHaveLength(count);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / count;
    expect(mean / meanWait(queue)).toBeCloseTo(1, 1);
    expect(waits.filter((wait) => wait > 0).length / count).toBeCloseTo(waitProbability(queue), 1);
    expect(waits[count * 0.99]! / waitAt(0.99, queue)).toBeCloseTo(1, 1);
    const drawn = Array.from({ length: 1000 }, (_, n) => waitAt((n + 0.5) / 1000, queue));
    expect(drawn.reduce((sum, wait) => sum + wait, 0) / 1000 / meanWait(queue)).toBeCloseTo(1, 1);
  });

  it("drains what came while a node was down in the time that the rates say", () => {
    const line = new Line<undefined>();
    const [arriving, served, downSeconds] = [100, 400, 60];
    let [done, drainedAt, longest] = [0, 0, 0];
    for (let at = 0; at < 120; at++) {
      line.join(at, at + 1, { count: arriving, lateBy: 0, tag: undefined });
      line.serve(at, at + 1, at < downSeconds ? 0 : served, ({ count, first, last }) => {
        done += count;
        longest = Math.max(longest, first, last);
      });
      if (at >= downSeconds && line.waiting === 0 && drainedAt === 0) drainedAt = at + 1;
    }
    // The queue of 6,000 shrinks by 300 a second.
    expect(drainedAt).toBe(downSeconds + (arriving * downSeconds) / (served - arriving));
    expect(longest).toBeCloseTo(downSeconds, 5);
    expect([done, line.waiting]).toEqual([120 * arriving, 0]);
  });

  it("serves what came first, keeps parts of a mail's service, and loses none", () => {
    const random = generator(3);
    const line = new Line<number>();
    let [joined, done, lastTag] = [0, 0, 0];
    for (let at = 0; at < 5000; at++) {
      for (let part = 0; part < 3; part++) {
        const count = poisson(random, 0.8);
        line.join(at, at + 1, { count, lateBy: part, tag: at });
        joined += count;
      }
      line.serve(at, at + 1, at % 10 < 3 ? 0 : 3.5, ({ count, tag, first, last }) => {
        expect(tag).toBeGreaterThanOrEqual(lastTag);
        expect(Math.min(first, last)).toBeGreaterThanOrEqual(0);
        lastTag = tag;
        done += count;
      });
    }
    expect(done + line.waiting).toBe(joined);
    line.serve(5000, 6000, 3.5, ({ count }) => (done += count));
    expect([done, line.waiting]).toEqual([joined, 0]);
    // 3.5 a second are 350 in a hundred, not 300.
    line.join(6000, 6000, { count: 1000, lateBy: 0, tag: 0 });
    for (let at = 6000; at < 6100; at++) line.serve(at, at + 1, 3.5, () => {});
    expect(line.waiting).toBe(650);
  });

  it("tells quantiles of delays to within a step", () => {
    const delays = new Delays();
    for (let n = 1; n <= 1000; n++) delays.add(n / 100, 1);
    expect(delays.quantile(0.5) / 5).toBeCloseTo(1, 1);
    expect(delays.quantile(0.99) / 9.9).toBeCloseTo(1, 1);
    expect([delays.quantile(1), delays.longest, delays.count]).toEqual([10, 10, 1000]);
    expect(delays.over(5) / 500).toBeCloseTo(1, 1);
  });
});

describe("the simulation", () => {
  const options = { users: 2_000_000, days: 3, seed: 5 };
  const run = simulate(options);

  it("gives the same page and chart for the same seed, and others for another", () => {
    const again = simulate(options);
    expect(weekPage(again)).toBe(weekPage(run));
    expect(chart(again)).toBe(chart(run));
    expect(weekPage(simulate({ ...options, seed: 6 }))).not.toBe(weekPage(run));
  });

  it("knows where every mail is, in any installation", () => {
    for (const users of [1000, 300_000, 2_000_000]) {
      for (const seed of [1, 2]) {
        const { ledger, queued, lost } = simulate({ users, days: 1, seed });
        expect(ledger.accepted).toBe(ledger.delivered + queued);
        expect(ledger.offered).toBe(ledger.accepted + ledger.withSenders + ledger.between);
        expect([lost, ledger.delays.count]).toEqual([0, ledger.delivered]);
        expect(ledger.offered).toBeGreaterThan(users * 20);
      }
    }
    run.ledger.accepted++;
    expect(run.ledger.lost(run.queued)).toBeGreaterThan(0);
    run.ledger.accepted--;
  });

  it("has each kind of fault, whose mail comes late but comes", () => {
    expect([...new Set(run.faults.map(({ kind }) => kind))].sort()).toEqual([
      "coordinator",
      "death",
      "hang",
      "partition",
      "rebalance",
      "storm",
    ]);
    const perSecond = (run.sites[0]!.cell.users * values.mailsPerUserDay) / 86_400;
    const { cell } = run.sites[0]!;
    for (const { kind, delayed, left, at, endedAt, lastInAt } of run.faults) {
      expect(left).toBe(0);
      // A storm at night fits through the doors; a move of shards only slows.
      if (kind === "rebalance" || (kind === "storm" && delayed === 0)) continue;
      expect(delayed).toBeGreaterThan(0);
      // Nobody's mail is in before the fault is over, and a refused mail comes again after five minutes or so.
      expect(lastInAt!).toBeGreaterThan(endedAt!);
      if (kind === "coordinator") {
        expect(endedAt! - at).toBe(values.failoverSeconds);
        expect(delayed / (perSecond * values.failoverSeconds)).toBeGreaterThan(0.2);
        expect(delayed / (perSecond * values.failoverSeconds)).toBeLessThan(2.5);
      }
      if (kind === "death") expect(delayed / (perSecond * values.failoverSeconds)).toBeLessThan(2.5 / cell.workers);
    }
    expect(run.ledger.delayed).toBe(run.faults.reduce((sum, { delayed }) => sum + delayed, 0));
    expect(run.ledger.requestsFailed).toBeGreaterThan(0);
    expect(run.ledger.requestsReadOnly).toBeGreaterThan(0);
  });

  it("sizes cells by what a worker holds", () => {
    expect(sitesFor(1000)).toMatchObject([{ cells: 1, cell: { users: 1000, workers: 1 } }]);
    const large = sitesFor(1e9);
    expect(large.map(({ cell }) => cell.workers)).toEqual(large.map(() => values.workersPerCell));
    expect(large.reduce((sum, { cells, cell }) => sum + cells * cell.users, 0) / 1e9).toBeCloseTo(1, 5);
  });

  it("counts packs: one a mail where few come, as many as fit the window where many do", () => {
    expect(packsPerSecond(0.1, 1)).toBeCloseTo(0.1, 3);
    expect(packsPerSecond(1e6, 1)).toBeCloseTo(1 / values.packSeconds, 1);
    expect(packsPerSecond(1e6, 10)).toBeCloseTo(10 / values.packSeconds, 0);
  });

  it("is what docs/scaling shows", () => {
    const shown = (name: string): string =>
      readFileSync(new URL(`../../docs/scaling/${name}`, import.meta.url), "utf8");
    const week = simulate({ users: 1e9, days: 7, seed: 1 });
    expect(weekPage(week)).toBe(shown("week.md"));
    expect(chart(week)).toBe(shown("week.svg"));
    expect(sizesPage()).toBe(shown("sizes.md"));
  });
});
