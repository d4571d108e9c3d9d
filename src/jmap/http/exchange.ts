import type { IncomingMessage, ServerResponse } from "node:http";
import type { EndpointName, Events } from "../../base/events.ts";
import { traced } from "../../base/traces.ts";

const reached = new WeakMap<ServerResponse, EndpointName>();

/** Reports the request when its answer is taken or the client has gone. A request that reached no endpoint is "other". */
export function watch(res: ServerResponse, events: Events): void {
  const begunAt = performance.now();
  res.once("close", () => {
    const seconds = (performance.now() - begunAt) / 1000;
    events.requestEnded({ endpoint: reached.get(res) ?? "other", status: res.statusCode, seconds });
  });
}

/** Runs `serve` as a span that lasts until the answer is taken or the client has gone. */
export function serveInSpan(req: IncomingMessage, res: ServerResponse, serve: () => void): void {
  const about = () => ({ method: req.method ?? "", endpoint: "other" });
  void traced("request", about, async (span) => {
    serve();
    if (!span) return;
    await new Promise((resolve) => res.once("close", resolve));
    Object.assign(span, { endpoint: reached.get(res) ?? "other", status: res.statusCode });
  });
}

/** Notes that the request was for this endpoint, whatever its outcome. */
export function reach(res: ServerResponse, endpoint: EndpointName): void {
  reached.set(res, endpoint);
}
