import type { Log } from "../../base/log.ts";
import { type DnsResolver, withTimeout } from "../resolver.ts";
import { isOverlong, senderFields } from "./trace.ts";
import { verifyApart } from "./verifier.ts";
import { type Claims, type LookUp, noResults, type Verified, verify } from "./verify.ts";

export interface Verdict {
  /** The Authentication-Results field, with its line end. */
  field: string;
  /** Set when the domain of From asks that such a message is refused. */
  refusal?: string;
}

const lookupTime = 4_000;
const dnsTime = 15_000;
const wholeTime = 20_000;
/** A message over this many bytes can hold up the event loop. */
const maxInline = 100_000;

/**
 * SPF, DKIM, DMARC and ARC. DNS that does not answer never refuses a message; one whose signatures would take too long
 * is judged by its From and SPF alone.
 */
export async function authenticate(
  message: Buffer,
  claims: Claims,
  { resolver, log }: { resolver: DnsResolver; log: Log },
): Promise<Verdict> {
  const deadline = Date.now() + dnsTime;
  let isUnanswered = false;
  const lookUp: LookUp = async (name, type) => {
    try {
      const left = Math.max(0, Math.min(lookupTime, deadline - Date.now()));
      return await withTimeout(resolver.resolve(name, type) as Promise<string[] | string[][]>, left, name);
    } catch (error) {
      if (!["ENOTFOUND", "ENODATA"].includes((error as { code?: string }).code ?? "")) isUnanswered = true;
      throw error;
    }
  };
  try {
    const { field, refusedBy } = await verifyInTime(message, claims, lookUp, log);
    const refused = refusedBy !== undefined && !isUnanswered;
    return { field, ...(refused && { refusal: `5.7.1 refused by the DMARC policy of ${refusedBy}` }) };
  } catch (error) {
    log.warn({ err: error }, "authentication of a message failed");
    return { field: noResults(claims.hostname) };
  }
}

async function verifyInTime(message: Buffer, claims: Claims, lookUp: LookUp, log: Log): Promise<Verified> {
  if (isOverlong(message)) return verify(senderFields(message), claims, lookUp);
  if (message.length <= maxInline) return verify(message, claims, lookUp);
  try {
    return await verifyApart(message, claims, lookUp, wholeTime);
  } catch (error) {
    log.warn({ err: error }, "the signatures of a message are not judged");
    return verify(senderFields(message), claims, lookUp);
  }
}
