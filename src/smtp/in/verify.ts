import type { AuthenticateResult } from "mailauth";

/** What a message is verified against. */
export interface Claims {
  /** "" for the null sender. */
  mailFrom: string;
  helo: string;
  address: string;
  /** Ours, for Authentication-Results. */
  hostname: string;
}

export type LookUp = (name: string, type: string) => Promise<string[] | string[][]>;

export interface Verified {
  /** The Authentication-Results field, with its line end. */
  field: string;
  /** The domain of From, when its DMARC policy asks that the message is refused. */
  refusedBy?: string;
}

/** SPF (RFC 7208), DKIM (6376), ARC (8617) and DMARC (7489). Takes as long as the message is hostile: see `verifier.ts`. */
export async function verify(message: Buffer, claims: Claims, lookUp: LookUp): Promise<Verified> {
  const mailauth = await import("mailauth");
  const result = await mailauth.authenticate(message, {
    ip: claims.address,
    helo: claims.helo,
    sender: claims.mailFrom,
    mta: claims.hostname,
    resolver: lookUp,
    disableBimi: true,
  });
  const field = /^Authentication-Results:[\s\S]*?\r\n(?![ \t])/im.exec(`${result.headers}\r\n`)?.[0];
  return {
    field: field ?? noResults(claims.hostname),
    ...(isRefusedByDmarc(result) && { refusedBy: domainOf(result) }),
  };
}

/** RFC 8601 §2.2: nothing was verified. */
export function noResults(hostname: string): string {
  return `Authentication-Results: ${hostname}; none\r\n`;
}

function isRefusedByDmarc({ dmarc }: AuthenticateResult): boolean {
  if (!dmarc) return false;
  return dmarc.status.result === "fail" && dmarc.policy === "reject" && !dmarc.testMode;
}

function domainOf({ dmarc }: AuthenticateResult): string {
  return (dmarc ? dmarc.status.header?.from : undefined) ?? "its sender";
}
