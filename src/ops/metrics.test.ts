import { afterEach, expect, test } from "vitest";
import { silentLog } from "../base/log.ts";
import { createMetrics, metricsListener } from "./metrics.ts";
import { type MetricsServer, serveMetrics } from "./metrics-server.ts";

let server: MetricsServer | undefined;
afterEach(() => server?.close());

test("counters, durations and gauges are served in the Prometheus format, and /readyz follows the server", async () => {
  const metrics = createMetrics();
  let ready = false;
  server = await serveMetrics({
    address: { host: "127.0.0.1", port: 0 },
    metrics,
    ready: async () => ({ isReady: ready, text: ready ? "ready\n" : "{}" }),
    log: silentLog,
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${server!.port}${path}`);
  const events = metricsListener(metrics.registry);
  events.methodRan({ method: "Email/get", outcome: "ok", seconds: 0.003 });
  events.mailTaken({ sizeOctets: 100, recipients: 1 });
  events.mailNotStored({ sizeOctets: 100, recipients: 1 });
  events.pushFailed({ status: 503 });
  metrics.gauge("posthorn_queue_depth", "Recipients waiting", async () => 7);

  const text = await (await get("/metrics")).text();
  expect(text).toContain('posthorn_jmap_call_seconds_count{method="Email/get",outcome="ok"} 1');
  expect(text).toContain('posthorn_mail_in_messages_total{outcome="accepted"} 1');
  expect(text).toContain('posthorn_mail_in_messages_total{outcome="failed"} 1');
  expect(text).toContain('posthorn_pushes_total{channel="webpush",outcome="failed"} 1');
  expect(text).toContain("posthorn_queue_depth 7");
  expect(text).toContain("nodejs_eventloop_lag_seconds");
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(503);
  ready = true;
  expect((await get("/readyz")).status).toBe(200);
  expect((await get("/other")).status).toBe(404);
});
