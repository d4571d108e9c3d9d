import type { ServerResponse } from "node:http";
import type { EndpointName, Events } from "../../base/events.ts";

const reached = new WeakMap<ServerResponse, EndpointName>();

/** Tells when the answer is taken or its client is gone; what reached no endpoint is "other". */
export function watch(res: ServerResponse, events: Events): void {
  const begunAt = performance.now();
  res.once("close", () => {
    const seconds = (performance.now() - begunAt) / 1000;
    events.requestEnded({ endpoint: reached.get(res) ?? "other", status: res.statusCode, seconds });
  });
}

/** The request was for this endpoint, whatever comes of it. */
export function reach(res: ServerResponse, endpoint: EndpointName): void {
  reached.set(res, endpoint);
}
