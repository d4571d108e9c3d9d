import { authenticate } from "../authenticate.ts";
import type { SmtpInOptions } from "../options.ts";
import { isOurDomain } from "../own-domains.ts";
import { type Check, pass, refuse } from "./stage.ts";

type Means = Pick<SmtpInOptions, "database" | "clock" | "resolver" | "hostname" | "log" | "policies" | "onDmarc">;

/** Checks SPF, DKIM, ARC and DMARC, and applies the policies of the message's authors. */
export function authentication(means: Means): Check<"data"> {
  const isOurs = (domain: string) => isOurDomain(domain, means.database, means.clock);
  return async ({ helo, address }, { message, header, mailFrom }) => {
    const verdict = await authenticate(message, header, { mailFrom, helo, address }, { ...means, isOurs });
    const { field, refusal, evidence, junkReason, authentication } = verdict;
    if (refusal !== undefined) return refuse(550, "5.7.1", refusal, evidence);
    return pass({ results: field, authentication, ...(junkReason !== undefined && { junkReason }) });
  };
}
