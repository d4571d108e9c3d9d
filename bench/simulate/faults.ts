import { poisson, type Random } from "../random.ts";
import type { Values } from "./parameters.ts";
import type { Site } from "./sizes.ts";

export type Kind = "death" | "hang" | "coordinator" | "partition" | "storm" | "rebalance";

export const titles: Record<Kind, string> = {
  death: "a worker dies",
  hang: "a worker hangs",
  coordinator: "the coordinator dies",
  partition: "the region is cut off",
  storm: "a storm of mail",
  rebalance: "a worker is added",
};

/** What goes wrong or is done, when, and what came of it. */
export type Fault = {
  kind: Kind;
  at: number;
  site: number;
  /** Which worker, for those that hit one. */
  worker: number;
  /** When it was over; absent while it lasts. */
  endedAt?: number;
  /** Mails that were refused, or had to wait, because of it. */
  delayed: number;
  /** Of these, not delivered yet; and when the last one was. */
  left: number;
  lastInAt?: number;
};

const daySeconds = 86_400;

/** At least one of each kind that can happen here, and as many more as years like this one have. */
export function faultsFor(sites: readonly Site[], days: number, random: Random, p: Values): Fault[] {
  const workers = sites.reduce((sum, { cell }) => sum + cell.workers, 0);
  const isCluster = workers > sites.length;
  const years = days / 365;
  const kinds: [Kind, number, boolean][] = [
    ["death", p.workerDeathsPerYear * (1 - p.hangPart) * workers, true],
    ["hang", p.workerDeathsPerYear * p.hangPart * workers, isCluster],
    ["coordinator", p.coordinatorDeathsPerYear * sites.length, isCluster],
    ["partition", p.partitionsPerYear, sites.length > 1],
    ["storm", p.stormsPerYear, true],
    ["rebalance", 0, isCluster],
  ];
  const faults = kinds.flatMap(([kind, perYear, isPossible]): Fault[] => {
    if (!isPossible) return [];
    return Array.from({ length: 1 + poisson(random, perYear * years) }, () => {
      const site = Math.floor(random() * sites.length);
      const at = Math.floor((0.02 + 0.88 * random()) * days * daySeconds);
      return { kind, at, site, worker: Math.floor(random() * sites[site]!.cell.workers), delayed: 0, left: 0 };
    });
  });
  return faults.sort((a, b) => a.at - b.at);
}
