import { generator, normal, type Random } from "../random.ts";
import { Agenda } from "./agenda.ts";
import { Cell, Worker } from "./cell.ts";
import { type Fault, faultsFor } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { type Values, values } from "./parameters.ts";
import { databaseBytesPerUser, peakNodeCores, type Site, sitesFor } from "./sizes.ts";

export type Options = { users: number; days: number; seed: number };
export type Busy = { mean: number; most: number };
export type Result = {
  options: Options;
  sites: Site[];
  ledger: Ledger;
  faults: Fault[];
  /** Accepted and not delivered when the time was up. */
  queued: number;
  lost: number;
  busy: Busy[];
};

const tickSeconds = 60;
const daySeconds = 86_400;

/** Runs one cell of each region, with its faults; the same options give the same result. */
export function simulate(options: Options, p: Values = values): Result {
  const seconds = options.days * daySeconds;
  const random = generator(options.seed);
  const sites = sitesFor(options.users, p);
  const faults = faultsFor(sites, options.days, random, p);
  const agenda = new Agenda();
  const ledger = new Ledger(seconds, sites.length);
  const cuts = new Map<number, Fault>();
  const world = {
    agenda,
    ledger,
    random,
    p,
    sites,
    calm: calmDelays(random, p),
    cut: (site: number) => cuts.get(site),
  };
  const cells = sites.map((site, index) => new Cell(index, world, mailsAtDoorsPerSecond(site.cell.users, p)));
  const advance = (): void => {
    for (const cell of cells) cell.advance();
  };
  for (let at = tickSeconds; at <= seconds; at += tickSeconds) agenda.at(at, advance);
  for (const fault of faults) {
    const cell = cells[fault.site]!;
    agenda.at(fault.at, () => {
      advance();
      begin(fault, cell, { agenda, advance, p, cuts });
    });
  }
  agenda.run(seconds);
  advance();
  const queued = cells.reduce((sum, cell) => sum + cell.queued, 0);
  const busy = cells.map(({ busy }) => ({ mean: busy.sum / busy.seconds, most: busy.most }));
  return { options, sites, ledger, faults, queued, lost: ledger.lost(queued), busy };
}

/** What the doors take at most: cores of Node that the usual peak keeps busy in part. */
export function mailsAtDoorsPerSecond(users: number, p: Values): number {
  const cores = Math.max(2, Math.ceil(peakNodeCores(users, p).doors / p.coresBusy));
  return (cores * 1000) / p.deliverNodeMs;
}

/** From the first command of a peer to the push of the new mail, when nothing waits. */
function calmDelays(random: Random, p: Values): number[] {
  const around = (p50: number, p95: number): number => p50 * (p95 / p50) ** (normal(random) / 1.645);
  return Array.from({ length: 10_000 }, () => around(p.deliverP50, p.deliverP95) + around(p.putP50, p.putP95));
}

type Around = { agenda: Agenda; advance: () => void; p: Values; cuts: Map<number, Fault> };

function begin(fault: Fault, cell: Cell, around: Around): void {
  const { agenda, advance, p, cuts } = around;
  const endAfter = (lasts: number, end: () => unknown): void =>
    agenda.at(agenda.now + lasts, () => {
      advance();
      end();
      fault.endedAt = agenda.now;
    });
  const worker = cell.workers[fault.worker]!;
  const failover = cell.workers.length > 1 ? p.failoverSeconds : p.restartSeconds;
  switch (fault.kind) {
    case "death":
    case "hang":
      worker.down = fault;
      endAfter(fault.kind === "hang" ? p.hangSeconds : failover, () => (worker.down = undefined));
      break;
    case "coordinator":
      cell.coordinatorDown = fault;
      endAfter(failover, () => (cell.coordinatorDown = undefined));
      break;
    case "partition":
      cuts.set(fault.site, fault);
      endAfter(p.partitionSeconds, () => cuts.delete(fault.site));
      break;
    case "storm":
      cell.storm = fault;
      endAfter(p.stormSeconds, () => (cell.storm = undefined));
      break;
    case "rebalance":
      addWorker(fault, cell, around);
  }
}

/** A new worker gets its part of the users, one shard group after the other. */
function addWorker(fault: Fault, cell: Cell, { agenda, advance, p }: Around): void {
  const old = [...cell.workers];
  const added = new Worker(0, p.workerCores);
  cell.workers.push(added);
  const groups = old.length * p.shardsPerWorker;
  const group = 1 / groups;
  const bytes = cell.users * group * databaseBytesPerUser(p);
  const moves = Math.round(groups / (old.length + 1));
  const move = (n: number): void => {
    advance();
    if (n === moves) {
      fault.endedAt = agenda.now;
      return;
    }
    const from = old.reduce((most, worker) => (worker.part > most.part ? worker : most));
    from.taken = added.taken = p.moveCost;
    agenda.at(agenda.now + bytes / p.moveBytesPerSecond, () => {
      advance();
      // Only the group's own writes wait; that all of its worker do is the worst case.
      from.taken = 1;
      agenda.at(agenda.now + p.moveStallSeconds, () => {
        advance();
        from.taken = added.taken = 0;
        from.part -= group;
        added.part += group;
        move(n + 1);
      });
    });
  };
  move(0);
}
