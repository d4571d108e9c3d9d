import type { Log } from "../../base/log.ts";
import { type DnsResolver, withTimeout } from "../resolver.ts";
import { isOverlong, senderFields } from "./trace.ts";
import { TooSlow, verifyAside } from "./verifier.ts";
import type { LookUp, Sender, Verified } from "./verify.ts";

export interface Verdict {
  /** The Authentication-Results field, with its line end. */
  field: string;
  /** Set when the domain of From asks that such a message is refused. */
  refusal?: string;
}

const lookupTime = 4_000;
const wholeTime = 15_000;

/** SPF, DKIM, DMARC and ARC. DNS that does not answer never refuses a message. */
export async function authenticate(
  message: Buffer,
  sender: Sender,
  { resolver, hostname, log }: { resolver: DnsResolver; hostname: string; log: Log },
): Promise<Verdict> {
  const deadline = Date.now() + wholeTime;
  let isUnanswered = false;
  const lookUp: LookUp = async (name, type) => {
    try {
      const left = Math.max(1, Math.min(lookupTime, deadline - Date.now()));
      return await withTimeout(resolver.resolve(name, type) as Promise<string[] | string[][]>, left, name);
    } catch (error) {
      if (!["ENOTFOUND", "ENODATA"].includes((error as { code?: string }).code ?? "")) isUnanswered = true;
      throw error;
    }
  };
  const { headers, dmarc } = await verified(message, sender, { hostname, lookUp, log });
  const field = /^Authentication-Results:[\s\S]*?\r\n(?![ \t])/im.exec(`${headers}\r\n`)?.[0];
  const isRefused = dmarc?.result === "fail" && dmarc.policy === "reject" && !dmarc.isTest && !isUnanswered;
  return {
    field: field ?? `Authentication-Results: ${hostname}; none\r\n`,
    ...(isRefused && { refusal: `5.7.1 refused by the DMARC policy of ${dmarc.domain}` }),
  };
}

/** Where signatures would take too long to judge, SPF, and DMARC by it, still hold. */
async function verified(
  message: Buffer,
  sender: Sender,
  { hostname, lookUp, log }: { hostname: string; lookUp: LookUp; log: Log },
): Promise<Verified> {
  try {
    const judged = isOverlong(message) ? senderFields(message) : message;
    return await verifyAside(judged, sender, { hostname, lookUp }).catch((error: unknown) => {
      if (!(error instanceof TooSlow)) throw error;
      return verifyAside(senderFields(message), sender, { hostname, lookUp });
    });
  } catch (error) {
    log.warn({ err: error }, "authentication of a message failed");
    return { headers: "", dmarc: undefined };
  }
}
