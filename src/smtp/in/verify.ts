import { type AuthenticateOptions, type AuthenticateResult, authenticate } from "mailauth";

export interface Sender {
  /** "" for the null sender. */
  mailFrom: string;
  helo: string;
  address: string;
}

export type LookUp = (name: string, type: string) => Promise<unknown>;

/** What SPF, DKIM, DMARC and ARC say, as far as others need it; plain data, so that it can come from another thread. */
export interface Verified {
  headers: string;
  dmarc: { result: string; policy: string; isTest: boolean; domain: string } | undefined;
}

export async function verify(
  message: Buffer,
  sender: Sender,
  { hostname, lookUp }: { hostname: string; lookUp: LookUp },
): Promise<Verified> {
  const options: AuthenticateOptions = {
    ip: sender.address,
    helo: sender.helo,
    sender: sender.mailFrom,
    mta: hostname,
    resolver: lookUp as NonNullable<AuthenticateOptions["resolver"]>,
    disableBimi: true,
  };
  const { headers, dmarc }: AuthenticateResult = await authenticate(message, options);
  return {
    headers: String(headers),
    dmarc: dmarc
      ? {
          result: dmarc.status.result,
          policy: dmarc.policy ?? "",
          isTest: Boolean(dmarc.testMode),
          domain: dmarc.status.header?.from ?? "its sender",
        }
      : undefined,
  };
}
