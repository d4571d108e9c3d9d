import { request } from "node:https";
import { isPrivateAddress } from "../../../base/private-address.ts";
import { type DnsResolver, withTimeout } from "../../resolver.ts";
import { certificateFault, type TlsFault } from "./tls-fault.ts";

/** The policy could not be fetched, or not by a connection that can be trusted. */
export class StsFetchFailed extends Error {
  readonly fault: TlsFault;

  constructor(fault: TlsFault) {
    super(fault.words);
    this.fault = fault;
  }
}

export interface StsFetchOptions {
  resolver: DnsResolver;
  /** Fetch from loopback and private addresses too. */
  allowPrivateTargets: boolean;
  /** (Default: 443) */
  port?: number;
  /** Ends fetches under way. */
  signal?: AbortSignal;
}

const maxOctets = 65_536;
const maxMs = 30_000;
const maxDnsMs = 10_000;
/** The web's servers present certificates of these kinds when they are not trusted. */
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|INVALID_/;

/** RFC 8461 §3.3: the text of the domain's policy, by HTTPS without redirects. Throws StsFetchFailed. */
export async function fetchStsPolicy(domain: string, options: StsFetchOptions): Promise<string> {
  const host = `mta-sts.${domain}`;
  try {
    const address = await addressOf(host, options);
    return await withTimeout(get(host, address, options), maxMs, host);
  } catch (error) {
    if (error instanceof StsFetchFailed) throw error;
    const { code = "", message } = error as Error & { code?: string };
    if (certificateCodes.test(code)) {
      const { words } = certificateFault(code);
      throw new StsFetchFailed({ result: "sts-webpki-invalid", words: `${host}: ${words}` });
    }
    throw failed(`${host}: ${message}`);
  }
}

const failed = (words: string) => new StsFetchFailed({ result: "sts-policy-fetch-error", words });

async function addressOf(host: string, { resolver, allowPrivateTargets }: StsFetchOptions): Promise<string> {
  const found = await Promise.allSettled([
    withTimeout(resolver.resolve4(host), maxDnsMs, host),
    withTimeout(resolver.resolve6(host), maxDnsMs, host),
  ]);
  const addresses = found.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  const allowed = addresses.filter((address) => allowPrivateTargets || !isPrivateAddress(address));
  if (addresses.length === 0) throw failed(`${host} has no address`);
  if (allowed.length === 0) throw failed(`${host} is only at private addresses`);
  return allowed[0]!;
}

function get(host: string, address: string, { port = 443, signal }: StsFetchOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({
      ...{ host: address, port, servername: host, path: "/.well-known/mta-sts.txt", method: "GET", agent: false },
      headers: { host, accept: "text/plain", "user-agent": "Posthorn" },
      ...{ rejectUnauthorized: true, minVersion: "TLSv1.2", timeout: maxMs },
      signal: AbortSignal.any([AbortSignal.timeout(maxMs), ...(signal ? [signal] : [])]),
    });
    const refuse = (words: string) => {
      asked.destroy();
      reject(failed(`${host}: ${words}`));
    };
    asked.on("timeout", () => refuse("no answer in time"));
    asked.on("error", reject);
    asked.on("response", (response) => {
      const type = response.headers["content-type"] ?? "text/plain";
      if (response.statusCode !== 200) return refuse(`status ${response.statusCode}`);
      // RFC 8461 §3.2: a server's users must not be able to place a policy as a page or a picture.
      if (!/^\s*text\/(?!html)/i.test(type)) return refuse(`the policy is ${type}`);
      const chunks: Buffer[] = [];
      let octets = 0;
      response.on("data", (chunk: Buffer) => {
        octets += chunk.length;
        chunks.push(chunk);
        if (octets > maxOctets) refuse("the policy is too long");
      });
      response.on("error", reject);
      response.on("close", () => {
        if (response.complete) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(failed(`${host}: the connection was cut`));
      });
    });
    asked.end();
  });
}
