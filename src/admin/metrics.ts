import { type DestinationCount, topDestinations, trafficSums } from "../store/queues/traffic.ts";
import type { Admin } from "./admin.ts";
import { type Latency, latencyOf } from "./overview.ts";

/** What happened within a step of time. */
export interface Step {
  at: Date;
  in: { accepted: number; refused: number; failed: number };
  out: { sent: number; deferred: number; failed: number };
  filed: { inbox: number; junk: number; virus: number };
  feedback: { delivery: number; complaint: number };
  /** The time within which 19 of 20 were done. */
  api: Latency;
  push: Latency;
}

export interface Metrics {
  /** Oldest first; the last is not over. */
  steps: Step[];
  /** Of the whole time. */
  destinations: DestinationCount[];
}

const minuteMs = 60_000;
const steps = 60;
const maxDestinations = 30;

/** The last hours of the whole installation in 60 steps, from counts by minute that are kept for a day. */
export async function metricsOf({ store }: Pick<Admin, "store">, hours: number): Promise<Metrics> {
  const stepMs = hours * minuteMs;
  const now = Math.floor(store.clock.now().getTime() / minuteMs) * minuteMs;
  const begin = now - (steps - 1) * stepMs;
  const [rows, destinations] = await Promise.all([
    trafficSums(store.database, new Date(begin), stepMs / 1_000),
    topDestinations(store.database, new Date(begin), maxDestinations),
  ]);
  const byStep = Map.groupBy(rows, ({ at }) => at.getTime());
  return {
    steps: Array.from({ length: steps }, (_, at) => stepOf(new Date(begin + at * stepMs), byStep)),
    destinations,
  };
}

function stepOf(at: Date, byStep: Map<number, { kind: string; what: string; count: number }[]>): Step {
  const rows = byStep.get(at.getTime()) ?? [];
  const of = (kind: string, what: string) =>
    rows.reduce((sum, row) => (row.kind === kind && row.what === what ? sum + row.count : sum), 0);
  return {
    at,
    in: { accepted: of("in", "accepted"), refused: of("in", "refused"), failed: of("in", "failed") },
    out: { sent: of("out", "sent"), deferred: of("out", "deferred"), failed: of("out", "failed") },
    filed: { inbox: of("filed", "inbox"), junk: of("filed", "junk"), virus: of("filed", "virus") },
    feedback: { delivery: of("feedback", "delivery"), complaint: of("feedback", "complaint") },
    api: latencyOf(rows, "api"),
    push: latencyOf(rows, "push"),
  };
}
