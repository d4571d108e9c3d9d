import type { AuthenticateResult } from "mailauth";
import type { Log } from "../../base/log.ts";
import { type DnsResolver, withTimeout } from "../resolver.ts";

export interface Sender {
  /** "" for the null sender. */
  mailFrom: string;
  helo: string;
  address: string;
}

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
  const lookUp = async (name: string, type: string) => {
    try {
      const left = Math.min(lookupTime, deadline - Date.now());
      return await withTimeout(resolver.resolve(name, type) as Promise<string[] | string[][]>, left, name);
    } catch (error) {
      if (!["ENOTFOUND", "ENODATA"].includes((error as { code?: string }).code ?? "")) isUnanswered = true;
      throw error;
    }
  };
  try {
    const mailauth = await import("mailauth");
    const result = await mailauth.authenticate(message, {
      ip: sender.address,
      helo: sender.helo,
      sender: sender.mailFrom,
      mta: hostname,
      resolver: lookUp,
      disableBimi: true,
    });
    const field = /^Authentication-Results:[\s\S]*?\r\n(?![ \t])/im.exec(`${result.headers}\r\n`)?.[0];
    const refused = !isUnanswered && isRefusedByDmarc(result);
    return {
      field: field ?? none(hostname),
      ...(refused && { refusal: `5.7.1 refused by the DMARC policy of ${domainOf(result)}` }),
    };
  } catch (error) {
    log.warn({ err: error }, "authentication of a message failed");
    return { field: none(hostname) };
  }
}

const none = (hostname: string) => `Authentication-Results: ${hostname}; none\r\n`;

function isRefusedByDmarc({ dmarc }: AuthenticateResult): boolean {
  if (!dmarc) return false;
  return dmarc.status.result === "fail" && dmarc.policy === "reject" && !dmarc.testMode;
}

function domainOf({ dmarc }: AuthenticateResult): string {
  return (dmarc ? dmarc.status.header?.from : undefined) ?? "its sender";
}
