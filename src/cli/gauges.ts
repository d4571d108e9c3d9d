import type { Metrics } from "../ops/metrics.ts";
import type { Store } from "../store/core/store.ts";
import { queueDepths } from "../store/queues/queue-sweeps.ts";

/** Adds a gauge that is 0 while Redis is away. */
export function gaugeRedis(metrics: Metrics, redis: { readonly isUp: boolean }): void {
  metrics.gauge("posthorn_redis_up", "Whether Redis answers", () => Number(redis.isUp));
}

/** Adds gauges for the connection pool of this process. */
export function gaugePool(metrics: Metrics, { database }: Store): void {
  const { pool } = database;
  metrics.gauge("posthorn_database_connections", "Connections in the pool", () => pool.totalCount);
  metrics.gauge("posthorn_database_connections_idle", "Idle connections in the pool", () => pool.idleCount);
  metrics.gauge("posthorn_database_waiting", "Statements waiting for a connection", () => pool.waitingCount);
}

/** Adds gauges for the depth of the queues, read at each scrape; NaN while the database is down. */
export function gaugeQueues(metrics: Metrics, { database }: Store): void {
  let reading: ReturnType<typeof queueDepths> | undefined;
  const depth = (queue: "incoming" | "outgoing") => async () => {
    // The gauges of a scrape are read at once, so they share the answer.
    reading ??= queueDepths(database).finally(() => {
      reading = undefined;
    });
    return reading.then(
      (depths) => depths[queue],
      () => Number.NaN,
    );
  };
  metrics.gauge("posthorn_incoming_messages", "Messages accepted and not yet in every account", depth("incoming"));
  metrics.gauge("posthorn_outgoing_messages", "Messages of our users with recipients to attempt", depth("outgoing"));
}
