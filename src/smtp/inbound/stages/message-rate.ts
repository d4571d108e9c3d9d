import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, defer, pass } from "./stage.ts";

const maxPerMinute = 3_000;

/** Limits the messages per minute of one IPv4 address or IPv6 network. */
export function messageRate({ counts }: { counts: SharedCounts }): Check<"mail"> {
  const messages = counts.rateLimit("smtp-in messages", { max: maxPerMinute, windowMs: 60_000 });
  return async ({ network, isLoopback }) => {
    if (isLoopback || (await messages.count(network))) return pass();
    return defer(451, "4.7.0", "too many messages from your address, try again later");
  };
}
