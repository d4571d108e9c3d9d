import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the parts of the server tell; each gets the few functions it needs. */
export interface Metrics {
  /** An answered HTTP request: "api", "upload", …, and its status. */
  request(endpoint: string, status: number, seconds: number): void;
  /** A JMAP method call: its name, and "ok" or the type of its error. */
  call(method: string, outcome: string, seconds: number): void;
  /** A message taken in: "accepted", or "failed". */
  mailIn(outcome: string): void;
  /** An attempt to deliver to one recipient: "sent", "failed", … */
  mailOut(outcome: string): void;
  /** Called at each scrape. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  contentType: string;
  text(): Promise<string>;
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // Processor, memory, garbage collection and the event loop's lag.
  collectDefaultMetrics({ register: registry });
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
  const mailOut = new Counter({
    name: "posthorn_mail_out_recipients_total",
    help: "Attempts to deliver to a recipient",
    labelNames: ["outcome"],
    registers,
  });
  return {
    request: (endpoint, status, seconds) => requests.observe({ endpoint, status }, seconds),
    call: (method, outcome, seconds) => calls.observe({ method, outcome }, seconds),
    mailIn: (outcome) => mailIn.inc({ outcome }),
    mailOut: (outcome) => mailOut.inc({ outcome }),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: async () => gauge.set(await read()) });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
