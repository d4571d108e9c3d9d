import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";
import { type Events, silentEvents } from "../base/events.ts";

export interface Metrics {
  registry: Registry;
  /** Adds a gauge. `read` is called at each scrape. Of several processes, it is the sum, or the smallest. */
  gauge(name: string, help: string, read: () => number | Promise<number>, ofAll?: "sum" | "min"): void;
  /** Adds gauges that one `read` fills at each scrape; NaN if it fails or takes more than `maxReadMs`. */
  gauges<Name extends string>(help: Record<Name, string>, read: () => Promise<Record<Name, number>>): void;
  contentType: string;
  text(): Promise<string>;
  /** All values now, for `merge`. */
  json(): Promise<MetricValues>;
}

/** The values of the metrics of one process, as plain objects. */
export type MetricValues = MetricObjectWithValues<MetricValue<string>>[];

/** The metrics of several processes as one: sums, except where a metric says otherwise. */
export function merge(all: readonly MetricValues[]): Registry {
  return AggregatorRegistry.aggregate([...all]);
}

/** What stays true when a process has ended: a counter that fell would look like a restart of all. */
export function lasting(values: MetricValues): MetricValues {
  return values.filter(({ type }) => isLasting.has(String(type)));
}

const isLasting = new Set(["counter", "histogram"]);

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // CPU, memory, garbage collection and the lag of the event loop.
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    gauge(name, help, read, ofAll = "sum") {
      const collect = async () => gauge.set(await read());
      const gauge: Gauge = new Gauge({ name, help, registers, aggregator: ofAll, collect });
    },
    gauges(help, read) {
      const inTime = shared(read);
      for (const [name, text] of Object.entries(help) as [keyof typeof help, string][]) {
        this.gauge(name, text, () =>
          inTime().then(
            (values) => values[name],
            () => Number.NaN,
          ),
        );
      }
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    json: () => registry.getMetricsAsJSON(),
  };
}

/** Prometheus gives up on a scrape after 10 s by default, and then has none of the metrics. */
const maxReadMs = 2_000;

/** Those who ask while a read is under way share it, however long it takes; each waits for at most `maxReadMs`. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return async () => {
    running ??= read().finally(() => {
      running = undefined;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("the read takes too long")), maxReadMs);
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Turns events into metrics; docs/operations.md lists their names. */
export function metricsListener(registry: Registry): Events {
  const registers = [registry];
  const requests = new Histogram({
    name: "posthorn_http_request_seconds",
    help: "HTTP requests",
    labelNames: ["endpoint", "status"],
    buckets,
    registers,
  });
  const calls = new Histogram({
    name: "posthorn_jmap_call_seconds",
    help: "JMAP method calls",
    labelNames: ["method", "outcome"],
    buckets,
    registers,
  });
  const mailIn = new Counter({
    name: "posthorn_mail_in_messages_total",
    help: "Messages taken in, over SMTP or between local users",
    labelNames: ["outcome"],
    registers,
  });
  const refused = new Counter({
    name: "posthorn_mail_refused_total",
    help: "Commands of other servers and of our own users that were refused",
    labelNames: ["command", "reply"],
    registers,
  });
  const objections = new Counter({
    name: "posthorn_mail_checks_total",
    help: "Peers that a check at a door for mail refused, put off or disconnected",
    labelNames: ["check", "verdict"],
    registers,
  });
  const clues = new Counter({
    name: "posthorn_mail_clues_total",
    help: "Messages of other servers with something that speaks for or against the peer",
    labelNames: ["clue"],
    registers,
  });
  const webConnections = new Counter({
    name: "posthorn_http_connections_closed_total",
    help: "Connections for HTTP that were closed for want of a place",
    labelNames: ["reason"],
    registers,
  });
  const mailOut = new Counter({
    name: "posthorn_mail_out_recipients_total",
    help: "Attempts to deliver to a recipient",
    labelNames: ["outcome"],
    registers,
  });
  const connections = new Counter({
    name: "posthorn_mail_out_connections_total",
    help: "Connections over which mail went to other servers",
    labelNames: ["use"],
    registers,
  });
  const tls = new Counter({
    name: "posthorn_tls_sessions_total",
    help: "Connections to other servers, by the TLS that was asked for and what came of it",
    labelNames: ["policy", "result"],
    registers,
  });
  const trouble = new Counter({
    name: "posthorn_mail_errors_total",
    help: "Mails that came into the error queue",
    labelNames: ["error"],
    registers,
  });
  const held = new Counter({
    name: "posthorn_senders_held_total",
    help: "Users whose mail was held for what they sent",
    labelNames: ["reason"],
    registers,
  });
  const rests = new Counter({
    name: "posthorn_source_rests_total",
    help: "Addresses that mail leaves from which had to rest",
    labelNames: ["address"],
    registers,
  });
  const bulk = new Counter({
    name: "posthorn_bulk_messages_total",
    help: "Mails to many that were sent, by whether one click unsubscribes",
    labelNames: ["unsubscribe"],
    registers,
  });
  const pushes = new Counter({
    name: "posthorn_pushes_total",
    help: "Messages pushed to clients",
    labelNames: ["channel", "outcome"],
    registers,
  });
  const redis = new Histogram({
    name: "posthorn_redis_seconds",
    help: "Commands to Redis",
    labelNames: ["use", "outcome"],
    buckets,
    registers,
  });
  const bodyReads = new Counter({
    name: "posthorn_body_reads_total",
    help: "Bodies read, by where they were found",
    labelNames: ["from"],
    registers,
  });
  const bodies = new Histogram({
    name: "posthorn_s3_request_seconds",
    help: "Requests to the S3 service",
    labelNames: ["operation", "outcome"],
    buckets,
    registers,
  });
  const packs = new Counter({
    name: "posthorn_packs_total",
    help: "Objects of several mails that were written, written again without dead ones, or removed",
    labelNames: ["act"],
    registers,
  });
  const packMembers = new Counter({
    name: "posthorn_pack_members_total",
    help: "Mails in packs: written, or left out by compaction and removal",
    labelNames: ["act"],
    registers,
  });
  const objectOperations = new Histogram({
    name: "posthorn_object_store_operation_seconds",
    help: "Operations on the store of bodies",
    labelNames: ["operation", "outcome"],
    buckets,
    registers,
  });
  const pushLag = new Histogram({
    name: "posthorn_push_lag_seconds",
    help: "From the commit of a change to the push that tells a client",
    labelNames: ["channel"],
    buckets: [...buckets, 60],
    registers,
  });
  return {
    ...silentEvents,
    mailTaken: () => mailIn.inc({ outcome: "accepted" }),
    mailNotStored: () => mailIn.inc({ outcome: "failed" }),
    mailRefused: ({ command, replyCode }) => refused.inc({ command, reply: replyCode }),
    checkObjected: ({ check, verdict }) => objections.inc({ check, verdict }),
    clueFound: ({ clue }) => clues.inc({ clue }),
    webConnectionClosed: ({ reason }) => webConnections.inc({ reason }),
    attemptEnded: ({ result }) => mailOut.inc({ outcome: result }),
    connectionUsed: ({ use }) => connections.inc({ use }),
    tlsJudged: ({ policy, result }) => tls.inc({ policy, result }),
    mailInTrouble: ({ error }) => trouble.inc({ error }),
    senderHeld: ({ reason }) => held.inc({ reason }),
    sourceRests: ({ address }) => rests.inc({ address }),
    bulkSent: ({ hasOneClick }) => bulk.inc({ unsubscribe: hasOneClick ? "one-click" : "missing" }),
    methodRan: ({ method, outcome, seconds }) => calls.observe({ method, outcome }, seconds),
    requestEnded: ({ endpoint, status, seconds }) => requests.observe({ endpoint, status }, seconds),
    objectOperationEnded: ({ operation, outcome, seconds }) =>
      objectOperations.observe({ operation, outcome }, seconds),
    pushSent: ({ channel, lagSeconds }) => {
      pushes.inc({ channel, outcome: "sent" });
      if (lagSeconds !== undefined) pushLag.observe({ channel }, lagSeconds);
    },
    pushFailed: () => pushes.inc({ channel: "webpush", outcome: "failed" }),
    redisAnswered: ({ use, outcome, seconds }) => redis.observe({ use, outcome }, seconds),
    bodyRead: ({ from }) => bodyReads.inc({ from }),
    bodiesAsked: ({ operation, outcome, seconds }) => bodies.observe({ operation, outcome }, seconds),
    packChanged: ({ act, members }) => {
      packs.inc({ act });
      packMembers.inc({ act }, members);
    },
  };
}
