import type { LookupAddress, LookupOptions } from "node:dns";
import type { Resolver } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { isPrivateAddress } from "../../base/private-address.ts";

/** A URL or address that must not be pushed to; found before or while connecting. */
export class TargetRefused extends Error {}

export interface Posted {
  status: number;
  /** The answer's Retry-After. */
  retryAfterMs: number | undefined;
}

export interface PosterOptions {
  resolver: Pick<Resolver, "resolve4" | "resolve6">;
  /** Allows loopback and private addresses, also without TLS. */
  allowPrivateTargets: boolean;
  /** The longest time for a whole request. (Default: 30 000) */
  timeoutMs?: number;
}

/** Limits sockets by host, so that a slow server delays only its own pushes. */
const agentOptions = { keepAlive: true, maxSockets: 32, maxTotalSockets: 512, timeout: 60_000 };
/** Only the head of an answer is used: reading stops here. */
const maxAnswer = 64 * 1024;
const maxRetryAfterMs = 24 * 3_600_000;

/** POSTs to servers that strangers named. */
export class Poster {
  readonly #options: PosterOptions;
  readonly #http = new HttpAgent(agentOptions);
  readonly #https = new HttpsAgent(agentOptions);

  constructor(options: PosterOptions) {
    this.#options = options;
  }

  /** The reason why a URL must not be pushed to, as far as its text shows; undefined if it may be. */
  refusal(text: string): string | undefined {
    const url = URL.parse(text);
    const { allowPrivateTargets } = this.#options;
    if (!url || url.hostname === "") return "is not an absolute URL";
    const host = hostOf(url);
    // Plain HTTP is allowed only where nothing leaves the private network.
    const isPlain = url.protocol === "http:" && allowPrivateTargets && isNamedPrivate(host);
    if (url.protocol !== "https:" && !isPlain) return "must begin with https://";
    if (url.username !== "" || url.password !== "") return "must not contain a user name or password";
    if (!allowPrivateTargets && isIP(host) !== 0 && isPrivateAddress(host)) return "has a private address";
    return undefined;
  }

  /** RFC 8030 §5. A redirect is an answer like any other. Rejects if there is no answer. */
  post(text: string, headers: Record<string, string | number>, body: Buffer): Promise<Posted> {
    const refusal = this.refusal(text);
    // An address in the URL never passes through the lookup.
    if (refusal !== undefined) return Promise.reject(new TargetRefused(`the URL ${refusal}`));
    const url = new URL(text);
    const isPlain = url.protocol === "http:";
    const { promise, resolve, reject } = Promise.withResolvers<Posted>();
    const request = (isPlain ? httpRequest : httpsRequest)(url, {
      method: "POST",
      agent: isPlain ? this.#http : this.#https,
      headers: { ...headers, "Content-Length": body.length },
      lookup: this.#lookup,
      signal: AbortSignal.timeout(this.#options.timeoutMs ?? 30_000),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      resolve({ status: response.statusCode ?? 0, retryAfterMs: readRetryAfter(response) });
      drain(response);
    });
    request.end(body);
    return promise;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** Judges the very address that is connected to: the name may resolve to another one a moment later. */
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
    if (allowed.length === 0) throw new TargetRefused(`${host} has only private addresses`);
    return allowed;
  }
}

function isLocalhost(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

/** Whether the text alone shows that the host is private, whatever a resolver says. */
function isNamedPrivate(host: string): boolean {
  return isLocalhost(host) || (isIP(host) !== 0 && isPrivateAddress(host));
}

/** RFC 6761 §6.3: localhost is never looked up. */
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

/** Retry-After in seconds or as a date (RFC 9110 §10.2.3). */
function readRetryAfter({ headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), maxRetryAfterMs);
}

function drain(response: IncomingMessage): void {
  let size = 0;
  response.on("error", () => {});
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxAnswer) response.destroy();
  });
}
