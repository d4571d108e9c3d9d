import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../conformance/client/client.ts";
import { watchCpu } from "./cpu.ts";

/** Sends one request and checks its answer; throws if it is wrong. `n` counts the requests of the measurement. */
export type Operation = (client: Client, n: number) => Promise<void>;

export type Figures = {
  /** Requests (or messages) a second. */
  perSecond: number;
  p50: number;
  p95: number;
  /** Server CPU in ms per request; absent where the server's processes are unknown. */
  cpu: number | undefined;
  /** The part of it that is the database's. */
  databaseCpu: number | undefined;
  requests: number;
  rounds: number;
};

export type Plan = {
  clients: Client[];
  rounds: number;
  roundMs: number;
  /** The number of requests per round, instead of a time. */
  perRound?: number;
  beforeRound?: (requests: number) => Promise<void>;
  roots: number[];
  /** Of these processes, the database's. */
  database: number[];
};

export function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** The median of each figure over the rounds, so that one disturbed round has no effect. */
export function middle(rounds: Omit<Figures, "rounds">[]): Figures {
  const of = (pick: (one: Omit<Figures, "rounds">) => number): number => median(rounds.map(pick));
  const known = (pick: (one: Omit<Figures, "rounds">) => number | undefined): number | undefined =>
    rounds.every((one) => pick(one) !== undefined) ? of((one) => pick(one) ?? 0) : undefined;
  return {
    perSecond: of((one) => one.perSecond),
    p50: of((one) => one.p50),
    p95: of((one) => one.p95),
    cpu: known((one) => one.cpu),
    databaseCpu: known((one) => one.databaseCpu),
    requests: rounds.reduce((sum, one) => sum + one.requests, 0),
    rounds: rounds.length,
  };
}

/** Runs the clients side by side; each sends one request after the other. */
export async function measure(operation: Operation, plan: Plan): Promise<Figures> {
  const figures: Omit<Figures, "rounds">[] = [];
  let next = 0;
  const run = async (ms: number, count: number): Promise<number[]> => {
    const times: number[] = [];
    const end = performance.now() + ms;
    const last = next + count;
    await Promise.all(
      plan.clients.map(async (client) => {
        while (next < last && performance.now() < end) {
          const n = next++;
          const start = performance.now();
          await operation(client, n);
          times.push(performance.now() - start);
        }
      }),
    );
    return times;
  };
  const [ms, count] = plan.perRound === undefined ? [plan.roundMs, Number.POSITIVE_INFINITY] : [1e9, plan.perRound];
  if (plan.perRound === undefined) await run(Math.min(500, plan.roundMs), count);
  for (let round = 0; round < plan.rounds; round++) {
    await plan.beforeRound?.(plan.perRound ?? 0);
    // The server's processes must have finished the work of the preparation.
    await sleep(50);
    const cpuUsed = watchCpu(plan.roots, plan.database);
    const start = performance.now();
    const times = await run(ms, count);
    const seconds = (performance.now() - start) / 1000;
    figures.push({
      perSecond: times.length / seconds,
      p50: median(times),
      p95: percentile(times, 0.95),
      ...cpuUsed(times.length),
      requests: times.length,
    });
  }
  return middle(figures);
}
