import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, disconnect, pass } from "./stage.ts";

const maxPerMinute = 600;

/** Limits the new connections per minute of one IPv4 address or IPv6 network. */
export function connectionRate({ counts }: { counts: SharedCounts }): Check<"connect"> {
  const connections = counts.rateLimit("smtp-in new connections", { max: maxPerMinute, windowMs: 60_000 });
  return async ({ network, isLoopback }) => {
    if (isLoopback || (await connections.count(network))) return pass();
    return disconnect("4.7.0", "too many new connections from your address: send more mails in each, or wait a minute");
  };
}
