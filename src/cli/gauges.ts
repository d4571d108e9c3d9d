import type { Metrics } from "../ops/metrics.ts";
import type { Store } from "../store/core/store.ts";
import { queueDepths } from "../store/queues/queue-sweeps.ts";

/** Adds gauges for the connections and the depth of the queues, read at each scrape; NaN while the database is down. */
export function gaugeStore(metrics: Metrics, { database }: Store): void {
  const sum = (count: "total" | "idle" | "waiting") => () =>
    database.nodes.all.reduce((total, server) => total + server.counts[count], 0);
  const away = () => database.nodes.all.filter((server) => server.isAway).length;
  metrics.gauge("posthorn_database_connections", "Connections to the database", sum("total"));
  metrics.gauge("posthorn_database_connections_idle", "Idle connections to the database", sum("idle"));
  metrics.gauge("posthorn_database_waiting", "Statements waiting for a connection", sum("waiting"));
  metrics.gauge("posthorn_database_servers_away", "Database servers that give no answer", away);
  const depth = (queue: "incoming" | "outgoing") => () =>
    queueDepths(database).then(
      (depths) => depths[queue],
      () => Number.NaN,
    );
  metrics.gauge("posthorn_incoming_messages", "Messages accepted and not yet in every account", depth("incoming"));
  metrics.gauge("posthorn_outgoing_recipients", "Recipients of outgoing mail waiting for delivery", depth("outgoing"));
}
