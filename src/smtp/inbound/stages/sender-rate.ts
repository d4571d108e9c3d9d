import type { SharedCounts } from "../../../base/shared-counts.ts";
import { type Check, defer, pass } from "./stage.ts";

const maxPerMinute = 3_000;

/**
 * Limits the messages per minute of one domain, from however many addresses. Counts the domain that SPF or a signature proves:
 * nobody can use up the share of a domain that is not theirs.
 */
export function senderRate({ counts }: { counts: SharedCounts }): Check<"data"> {
  const messages = counts.rateLimit("smtp-in messages of a domain", { max: maxPerMinute, windowMs: 60_000 });
  return async ({ isLoopback }, { authentication }) => {
    const domain = authentication && provenIn(authentication);
    if (isLoopback || !domain || (await messages.count(domain))) return pass();
    return defer(451, "4.7.0", `too many messages from ${domain}, try again in some minutes`);
  };
}

function provenIn({ spf, dkim }: { spf: Result; dkim: readonly Result[] }): string | undefined {
  const proven = [spf, ...dkim].find(({ result, domain }) => result === "pass" && domain !== null);
  return proven?.domain?.toLowerCase();
}

interface Result {
  result: string;
  domain: string | null;
}
