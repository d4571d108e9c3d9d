import type { ServerResponse } from "node:http";
import type { EndpointName, Events } from "../../base/events.ts";

const reached = new WeakMap<ServerResponse, EndpointName>();

/** Reports the request when its answer is taken or the client has gone. A request that reached no endpoint is "other". */
export function watch(res: ServerResponse, events: Events): void {
  const begunAt = performance.now();
  res.once("close", () => {
    const seconds = (performance.now() - begunAt) / 1000;
    events.requestEnded({ endpoint: reached.get(res) ?? "other", status: res.statusCode, seconds });
  });
}

/** Notes that the request was for this endpoint, whatever its outcome. */
export function reach(res: ServerResponse, endpoint: EndpointName): void {
  reached.set(res, endpoint);
}
