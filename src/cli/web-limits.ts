import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import type { Proxies } from "../jmap/http/address.ts";
import { WebPlaces } from "./web-places.ts";

/** The connections of a server. Its processes have the same number of them, so each has an equal part. */
const webLimits = { max: 20_000, maxOfNetwork: 1_000, maxBeginning: 1_000, maxBeginningOfNetwork: 100 };
const loopback = /^(127\.|::1$|::ffff:127\.)/;
const tellEveryMs = 60_000;

/** The places for connections at all doors for HTTP. */
export function webPlaces(
  { workers }: Pick<Config, "workers">,
  proxies: Proxies,
  { log, events }: { log: Log; events: Pick<Events, "webConnectionClosed"> },
): WebPlaces {
  const limits = Object.entries(webLimits).map(([name, count]) => [name, Math.ceil(count / Math.max(workers, 1))]);
  let toldAt = Number.NEGATIVE_INFINITY;
  return new WebPlaces({
    ...(Object.fromEntries(limits) as typeof webLimits),
    isExempt: (address) => loopback.test(address) || proxies.isProxy(address),
    onClosed: (reason) => {
      events.webConnectionClosed({ reason });
      if (performance.now() - toldAt < tellEveryMs) return;
      toldAt = performance.now();
      log.warn({ reason }, "there are too many connections for HTTP: those that do nothing are closed first");
    },
  });
}
