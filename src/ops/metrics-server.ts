import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../base/log.ts";
import type { Metrics } from "./metrics.ts";

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

/** What /metrics answers. */
export type Scraped = Pick<Metrics, "contentType" | "text">;

export interface MetricsServerOptions {
  address: { host: string; port: number };
  metrics: Scraped;
  /** Whether the server can do its work, for /readyz. */
  ready: () => Promise<{ isReady: boolean; text: string }>;
  log: Log;
}

/** Serves `/metrics` for Prometheus, `/healthz` and `/readyz` on a separate port, which need not be public. */
export async function serveMetrics({ address, metrics, ready, log }: MetricsServerOptions): Promise<MetricsServer> {
  const answer = async (path: string, response: ServerResponse) => {
    if (path === "/metrics") {
      send(response, 200, await metrics.text(), metrics.contentType);
    } else if (path === "/healthz") {
      send(response, 200, "ok\n");
    } else if (path === "/readyz") {
      const { isReady, text } = await ready();
      send(response, isReady ? 200 : 503, text, text.startsWith("{") ? "application/json" : undefined);
    } else {
      send(response, 404, "not found\n");
    }
  };
  const server = createServer((request, response) => {
    answer((request.url ?? "").split("?")[0]!, response).catch((error: Error) => {
      log.error({ reason: error.message }, "metrics failed");
      send(response, 500, "failed\n");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
