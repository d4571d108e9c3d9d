import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Log } from "../base/log.ts";
import { SpanListener } from "./span-listener.ts";

export interface TracesOptions {
  /** Of a collector that takes OTLP over HTTP; without a path, /v1/traces. */
  url: string;
  /** Of this program. */
  version: string;
  /** Names this process among others. */
  instance: string;
  log: Log;
}

/** How long a stopping server waits for the collector. */
const maxCloseMs = 2_000;

/**
 * Sends spans to a collector of OpenTelemetry until the returned function is called. Only this loads OpenTelemetry's SDK,
 * which takes a quarter of a second.
 */
export async function startTraces({ url, version, instance, log }: TracesOptions): Promise<() => Promise<void>> {
  const [api, { BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
    ]);
  const exporter = new LoggedExporter(new OTLPTraceExporter({ url: endpointOf(url) }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "posthorn",
      "service.version": version,
      "service.instance.id": instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const listener = new SpanListener(api, provider.getTracer("posthorn", version));
  return async () => {
    listener.stop();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, maxCloseMs);
    // It fails as the last export did, of which the log tells.
    await Promise.race([provider.shutdown().catch(() => {}), late]);
    clearTimeout(timer);
  };
}

function endpointOf(url: string): string {
  const endpoint = new URL(url);
  if (endpoint.pathname === "/") endpoint.pathname = "/v1/traces";
  return endpoint.href;
}

const warnEveryMs = 600_000;

/** Logs once in ten minutes that spans were lost; nothing else depends on a collector. */
class LoggedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Log;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, log: Log) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(...[spans, done]: Parameters<SpanExporter["export"]>): void {
    this.#exporter.export(spans, (result) => {
      if (result.error) this.#tell(result.error, spans);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #tell({ message }: Error, spans: ReadableSpan[]): void {
    if (performance.now() - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = performance.now();
    this.#log.warn({ reason: message, spans: spans.length }, "traces not sent");
  }
}
