import type { Metrics } from "../ops/metrics.ts";
import type { Report } from "../ops/readiness.ts";
import type { Store } from "../store/core/store.ts";
import { queueDepths } from "../store/queues/queue-sweeps.ts";
import { endOf } from "./tls/certificates.ts";
import type { Tls } from "./tls/tls.ts";

/** Adds a gauge that is 0 while Redis is away. */
export function gaugeRedis(metrics: Metrics, redis: { readonly isUp: boolean }): void {
  metrics.gauge("posthorn_redis_up", "Whether Redis answers", () => Number(redis.isUp));
}

/** Adds a gauge of when the TLS certificate ends. */
export function gaugeCertificate(metrics: Metrics, tls: Tls | undefined): void {
  if (!tls) return;
  const end = () => endOf(tls.certificates.current).getTime() / 1000;
  metrics.gauge("posthorn_certificate_end_seconds", "When the TLS certificate ends, in Unix time", end, "min");
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

/** Adds a gauge that is 1 while the server takes work. */
export function gaugeReadiness(metrics: Metrics, ready: () => Promise<Report>): void {
  metrics.gauge("posthorn_ready", "Whether /readyz answers 200", async () => ((await ready()).isReady ? 1 : 0));
}

/** Adds gauges of the queues, read from the database at each scrape. They are the same whichever process is asked. */
export function gaugeQueues(metrics: Metrics, { database, clock }: Store): void {
  const help = {
    posthorn_incoming_messages: "Messages accepted and not yet in every account",
    posthorn_incoming_age_seconds: "Age of the oldest of them",
    posthorn_incoming_set_aside: "Messages that failed by themselves and wait for an operator",
    posthorn_outgoing_submissions: "Submissions with recipients waiting for delivery",
    posthorn_outgoing_due_submissions: "Submissions whose next attempt is due and that no process has claimed",
    posthorn_outgoing_due_age_seconds: "For how long the oldest of them has been due",
  };
  metrics.gauges(help, async () => {
    const depths = await queueDepths(database, clock.now());
    return {
      posthorn_incoming_messages: depths.incoming,
      posthorn_incoming_age_seconds: depths.incomingAgeSeconds,
      posthorn_incoming_set_aside: depths.setAside,
      posthorn_outgoing_submissions: depths.outgoing,
      posthorn_outgoing_due_submissions: depths.due,
      posthorn_outgoing_due_age_seconds: depths.dueAgeSeconds,
    };
  });
}
