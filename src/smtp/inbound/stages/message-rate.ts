import { LRUCache } from "lru-cache";
import type { Clock } from "../../../base/clock.ts";
import { type Check, defer, pass } from "./stage.ts";

const mostPerMinute = 3_000;
const mostNetworks = 50_000;

/** So many messages a minute from one address, or one network of IPv6. */
export function messageRate({ clock }: { clock: Clock }): Check<"mail"> {
  const counts = new LRUCache<string, number>({ max: mostNetworks });
  let counted = 0;
  return ({ network, isLoopback }) => {
    const minute = Math.floor(clock.now().getTime() / 60_000);
    if (minute !== counted) counts.clear();
    counted = minute;
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    if (isLoopback || count <= mostPerMinute) return pass();
    return defer(451, "4.7.0", "too many messages from your address, try again later");
  };
}
