import type { Happened } from "./chaos.ts";
import { p95, type Sample } from "./samples.ts";

/** The first seconds of a fault and those after its end: those who notice it take over, and what died comes back. */
const noticeMs = 3_000;
const comeBackMs = 5_000;
/** Calm is what is so long before and after every fault. */
const quietMs = 3_000;

/** What a fault did to those who need what failed (hit) and to all others (living). */
export interface FaultFigures {
  name: string;
  seconds: number;
  /** Of the living, without the seconds of crash recovery, and the same things in calm times; in ms. */
  p95Ms: number | undefined;
  calmP95Ms: number | undefined;
  livingRefusals: Record<string, number>;
  /** Of the living, in the seconds of crash recovery. */
  recovery: { p95Ms: number | undefined; refusals: Record<string, number> };
  /** How many of the hit asked, and what they were refused. */
  hit: number;
  hitRefusals: Record<string, number>;
  /** From the end of the fault: until that which failed was back, and until the last refusal. */
  secondsUntilBack: number;
  secondsUntilLastRefusal: number;
}

export interface Figures {
  calm: { samples: number; p95Ms: number | undefined; refusals: Record<string, number> };
  faults: FaultFigures[];
}

export function figuresOf(samples: readonly Sample[], happened: readonly Happened[], startedAt: number): Figures {
  const isApart = ({ startedAt: at, ms }: Sample) =>
    at > startedAt + quietMs &&
    happened.every(({ beganAt, backAt }) => at + ms < beganAt || at > backAt + comeBackMs + quietMs);
  const calm = samples.filter(isApart);
  return {
    calm: { samples: calm.length, p95Ms: p95(calm), refusals: countRefusals(calm) },
    faults: happened.map((one, at) => figuresOfFault(one, happened[at + 1]?.beganAt, samples, calm)),
  };
}

function figuresOfFault(
  { fault, beganAt, endedAt, backAt }: Happened,
  nextAt = Number.POSITIVE_INFINITY,
  all: readonly Sample[],
  calm: readonly Sample[],
): FaultFigures {
  const about = all.filter(
    ({ startedAt, ms }) => startedAt + ms >= beganAt && startedAt < Math.min(nextAt, backAt + comeBackMs),
  );
  const living = about.filter((sample) => !fault.hits(sample));
  const isDuring = ({ startedAt }: Sample) => startedAt >= beganAt + noticeMs && startedAt < endedAt;
  const steady = living.filter(isDuring);
  const recovering = living.filter((sample) => !isDuring(sample));
  const kinds = new Set(steady.map(({ operation }) => operation));
  const hit = about.filter((sample) => fault.hits(sample));
  const later = all.filter(
    ({ startedAt, ms, refusal }) => refusal !== undefined && startedAt >= endedAt && startedAt + ms < nextAt,
  );
  return {
    name: fault.name,
    seconds: (endedAt - beganAt) / 1_000,
    p95Ms: p95(steady),
    calmP95Ms: p95(calm.filter(({ operation }) => kinds.has(operation))),
    livingRefusals: countRefusals(steady),
    recovery: { p95Ms: p95(recovering), refusals: countRefusals(recovering) },
    hit: hit.length,
    hitRefusals: countRefusals(hit),
    secondsUntilBack: (backAt - endedAt) / 1_000,
    secondsUntilLastRefusal: (Math.max(endedAt, ...later.map(({ startedAt, ms }) => startedAt + ms)) - endedAt) / 1_000,
  };
}

/** By what was done and why it was refused, such as `read: HTTP 503`. */
function countRefusals(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation, refusal } of samples) {
    if (refusal === undefined) continue;
    const key = `${operation}: ${refusal}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
