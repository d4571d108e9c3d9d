import type { Metrics } from "../ops/metrics.ts";
import type { Store } from "../store/core/store.ts";
import { queueDepths } from "../store/queues/queue-sweeps.ts";

/** Adds a gauge that is 0 while Redis is away. */
export function gaugeRedis(metrics: Metrics, redis: { readonly isUp: boolean }): void {
  metrics.gauge("posthorn_redis_up", "Whether Redis answers", () => Number(redis.isUp));
}

/** Adds a gauge of the database's servers that are away. */
export function gaugeServers(metrics: Metrics, { database }: Store): void {
  const away = () => database.nodes.all.filter((server) => server.isAway).length;
  metrics.gauge("posthorn_database_servers_away", "Database servers that give no answer", away);
}

/** Adds gauges for the connections of this process to the database. */
export function gaugePools(metrics: Metrics, { database }: Store): void {
  const sum = (count: "total" | "idle" | "waiting") => () =>
    database.nodes.all.reduce((total, server) => total + server.counts[count], 0);
  metrics.gauge("posthorn_database_connections", "Connections to the database", sum("total"));
  metrics.gauge("posthorn_database_connections_idle", "Idle connections to the database", sum("idle"));
  metrics.gauge("posthorn_database_waiting", "Statements waiting for a connection", sum("waiting"));
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
  metrics.gauge("posthorn_outgoing_recipients", "Recipients of outgoing mail waiting for delivery", depth("outgoing"));
}
