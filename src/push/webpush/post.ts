import type { LookupAddress, LookupOptions } from "node:dns";
import type { Resolver } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { isPrivateAddress } from "../../base/private-address.ts";

/** Where a push must not go: said before or while it connects. */
export class TargetRefused extends Error {}

export interface Posted {
  status: number;
  /** As the answer asks, in ms. */
  retryAfter: number | undefined;
}

export interface PosterOptions {
  resolver: Pick<Resolver, "resolve4" | "resolve6">;
  /** Loopback and private addresses too, and without TLS. */
  allowPrivateTargets: boolean;
  /** A whole request may take so long, in ms. (Default: 30 000) */
  timeout?: number;
}

/** A server that is slow keeps its own pushes waiting, not those to others. */
const agentOptions = { keepAlive: true, maxSockets: 32, maxTotalSockets: 512, timeout: 60_000 };
/** Nothing in an answer but its head is of use. */
const longestAnswer = 64 * 1024;
const longestWait = 24 * 3_600_000;

/** POSTs to servers that we know nothing of. */
export class Poster {
  readonly #options: PosterOptions;
  readonly #http = new HttpAgent(agentOptions);
  readonly #https = new HttpsAgent(agentOptions);

  constructor(options: PosterOptions) {
    this.#options = options;
  }

  /** Why nothing can be pushed to a URL, as far as its text tells; undefined when it may do. */
  refusal(text: string): string | undefined {
    const url = URL.parse(text);
    const { allowPrivateTargets } = this.#options;
    if (!url || url.hostname === "") return "is no absolute URL";
    const host = hostOf(url);
    // TLS can be gone without only where nothing leaves the private network.
    const isPlain = url.protocol === "http:" && allowPrivateTargets && isNamedPrivate(host);
    if (url.protocol !== "https:" && !isPlain) return "must begin with https://";
    if (url.username !== "" || url.password !== "") return "may not hold a user name";
    if (!allowPrivateTargets && isIP(host) !== 0 && isPrivateAddress(host)) return "is at a private address";
    return undefined;
  }

  /** RFC 8030 §5. Redirects are answers like any other. Rejects when there is no answer. */
  post(text: string, headers: Record<string, string | number>, body: Buffer): Promise<Posted> {
    const refusal = this.refusal(text);
    // An address in a URL never comes by the look-up.
    if (refusal !== undefined) return Promise.reject(new TargetRefused(`the URL ${refusal}`));
    const url = new URL(text);
    const isPlain = url.protocol === "http:";
    const { promise, resolve, reject } = Promise.withResolvers<Posted>();
    const request = (isPlain ? httpRequest : httpsRequest)(url, {
      method: "POST",
      agent: isPlain ? this.#http : this.#https,
      headers: { ...headers, "Content-Length": body.length },
      lookup: this.#lookup,
      signal: AbortSignal.timeout(this.#options.timeout ?? 30_000),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: readRetryAfter(response) });
      drain(response);
    });
    request.end(body);
    return promise;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** The address that is connected to is the one that is judged: a name may stand for another the next moment. */
  readonly #lookup = (
    host: string,
    options: LookupOptions,
    done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    this.#resolve(host).then(
      (found) => {
        if (options.all) done(null, found);
        else done(null, found[0]!.address, found[0]!.family);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };

  async #resolve(host: string): Promise<LookupAddress[]> {
    const found = await addressesOf(host, this.#options.resolver);
    const allowed = found.filter(({ address }) => this.#options.allowPrivateTargets || !isPrivateAddress(address));
    if (allowed.length === 0) throw new TargetRefused(`${host} is only at private addresses`);
    return allowed;
  }
}

function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

/** A private address by its text alone, whatever a resolver says. */
function isNamedPrivate(host: string): boolean {
  return isLocalhost(host) || (isIP(host) !== 0 && isPrivateAddress(host));
}

/** RFC 6761 §6.3: no DNS server is asked about localhost. */
async function addressesOf(host: string, resolver: PosterOptions["resolver"]): Promise<LookupAddress[]> {
  if (isLocalhost(host)) return [{ address: "127.0.0.1", family: 4 }];
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const list = (result: PromiseSettledResult<string[]>, family: number) =>
    result.status === "fulfilled" ? result.value.map((address) => ({ address, family })) : [];
  const found = [...list(v4, 4), ...list(v6, 6)];
  if (found.length === 0) throw v4.status === "rejected" ? v4.reason : new Error(`${host} has no address`);
  return found;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function readRetryAfter({ headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWait);
}

function drain(response: IncomingMessage): void {
  let size = 0;
  response.on("error", () => {});
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > longestAnswer) response.destroy();
  });
}
