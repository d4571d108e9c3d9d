import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, defer, pass } from "./stage.ts";

const maxOfNetwork = 6_000;
const maxForAddress = 300;

/** Limits the recipients per minute that one network names, and how much mail a minute one address gets. */
export function recipientRate({ counts }: { counts: SharedCounts }): {
  ofNetwork: Check<"rcpt">;
  forAddress: Check<"rcpt">;
} {
  const named = counts.rateLimit("smtp-in recipients", { max: maxOfNetwork, windowMs: 60_000 });
  const gets = counts.rateLimit("smtp-in for an address", { max: maxForAddress, windowMs: 60_000 });
  return {
    ofNetwork: async ({ network, isLoopback }) => {
      if (isLoopback || (await named.count(network))) return pass();
      return defer(451, "4.7.0", "too many recipients from your address, try again in a minute");
    },
    forAddress: async ({ isLoopback }, { entry }) => {
      if (isLoopback || !entry || (await gets.count(entry.address))) return pass();
      return defer(450, "4.2.1", "this mailbox gets too much mail at the moment, try again in some minutes");
    },
  };
}
