import { LRUCache } from "lru-cache";
import type { Clock } from "../../../base/clock.ts";
import { type Check, defer, pass } from "./stage.ts";

const maxPerMinute = 3_000;
const maxNetworks = 50_000;

/** Limits the messages per minute of one IPv4 address or IPv6 network. */
export function messageRate({ clock }: { clock: Clock }): Check<"mail"> {
  const counts = new LRUCache<string, number>({ max: maxNetworks });
  let counted = 0;
  return ({ network, isLoopback }) => {
    const minute = Math.floor(clock.now().getTime() / 60_000);
    if (minute !== counted) counts.clear();
    counted = minute;
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    if (isLoopback || count <= maxPerMinute) return pass();
    return defer(451, "4.7.0", "too many messages from your address, try again later");
  };
}
