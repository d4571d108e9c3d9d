import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, disconnect, pass } from "./stage.ts";

const maxPerNetwork = 100;

/** Limits the connections of one IPv4 address or IPv6 network; no honest server needs more. */
export function connections({ counts }: { counts: SharedCounts }): Check<"connect"> {
  const places = counts.placeLimit("smtp-in connections", { max: maxPerNetwork });
  return async ({ network, isLoopback, onEnd }) => {
    if (isLoopback) return pass();
    if (!(await places.take(network))) return disconnect("4.7.0", "too many connections from your address");
    onEnd(() => places.leave(network));
    return pass();
  };
}
