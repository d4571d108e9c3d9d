import type { Random } from "../../bench/random.ts";
import type { Fault } from "./faults.ts";

/** A fault and its times in ms from the beginning of the run. */
export interface Planned {
  fault: Fault;
  beginMs: number;
  endMs: number;
}

/** How the times of a run are shared out, in ms. */
export interface Pace {
  /** Without any fault, at first. */
  calmMs: number;
  fault: { min: number; max: number };
  /** Between the end of one and the beginning of the next. */
  gapMs: number;
}

/** Faults one at a time, at random, each once before any comes again, until the time is over. */
export function schedule(faults: readonly Fault[], totalMs: number, pace: Pace, random: Random): Planned[] {
  const plan: Planned[] = [];
  let left: Fault[] = [];
  for (let beginMs = pace.calmMs; ; ) {
    if (left.length === 0) left = shuffled(faults, random);
    const { min, max } = pace.fault;
    const endMs = beginMs + min + Math.floor(random() * (max - min));
    if (endMs + pace.gapMs > totalMs || left.length === 0) return plan;
    plan.push({ fault: left.pop()!, beginMs, endMs });
    beginMs = endMs + pace.gapMs;
  }
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const keyed = all.map((one) => ({ one, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}
