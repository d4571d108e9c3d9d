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
  events.pushSent({ channel: "websocket", lagSeconds: 0.2 });
  events.pushSent({ channel: "websocket", lagSeconds: undefined });
  events.objectOperationEnded({ operation: "read", outcome: "missing", seconds: 0.01 });
  metrics.gauge("posthorn_queue_depth", "Recipients waiting", async () => 7);

  const text = await (await get("/metrics")).text();
  expect(text).toContain('posthorn_jmap_call_seconds_count{method="Email/get",outcome="ok"} 1');
  expect(text).toContain('posthorn_mail_in_messages_total{outcome="accepted"} 1');
  expect(text).toContain('posthorn_mail_in_messages_total{outcome="failed"} 1');
  expect(text).toContain('posthorn_pushes_total{channel="webpush",outcome="failed"} 1');
  expect(text).toContain('posthorn_pushes_total{channel="websocket",outcome="sent"} 2');
  expect(text).toContain('posthorn_push_lag_seconds_count{channel="websocket"} 1');
  expect(text).toContain('posthorn_object_store_operation_seconds_count{operation="read",outcome="missing"} 1');
  expect(text).toContain("posthorn_queue_depth 7");
  expect(text).toContain("nodejs_eventloop_lag_seconds");
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(503);
  ready = true;
  expect((await get("/readyz")).status).toBe(200);
  expect((await get("/other")).status).toBe(404);
});

test("gauges of one read share it, and are NaN when it fails or takes too long", async () => {
  const metrics = createMetrics();
  let reads = 0;
  let answer: () => Promise<{ one: number; two: number }> = async () => ({ one: 1, two: 2 });
  const help = { one: "The first", two: "The second" };
  metrics.gauges(help, () => {
    reads++;
    return answer();
  });
  const values = async () => (await metrics.text()).match(/^(one|two) \S+$/gm);
  expect(await values()).toEqual(["one 1", "two 2"]);
  expect(reads).toBe(1);
  answer = () => Promise.reject(new Error("away"));
  expect(await values()).toEqual(["one Nan", "two Nan"]);
  const hanging = Promise.withResolvers<{ one: number; two: number }>();
  answer = () => hanging.promise;
  const begunAt = performance.now();
  expect(await values()).toEqual(["one Nan", "two Nan"]);
  expect(performance.now() - begunAt).toBeLessThan(5_000);
  // It is not asked again while it hangs.
  expect(reads).toBe(3);
  const later = values();
  hanging.resolve({ one: 3, two: 4 });
  expect(await later).toEqual(["one 3", "two 4"]);
  expect(reads).toBe(3);
});
