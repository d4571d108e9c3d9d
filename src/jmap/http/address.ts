import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { Log } from "../../base/log.ts";
import { isPrivateAddress } from "../../base/private-address.ts";
import { RequestError } from "../errors.ts";

export interface ProxiesOptions {
  /** The proxies whose forwarded headers are believed: addresses, and networks such as 192.0.2.0/24. */
  trusted: readonly string[];
  /** The URL at which clients reach the server, without a final slash; "" to use the request's own. */
  publicUrl: string;
  log: Log;
}

/** RFC 9112 §3.2: requires exactly one Host field that names a host. Throws a RequestError of status 400. */
export function checkHost(req: IncomingMessage): void {
  let fields = 0;
  const { rawHeaders } = req;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]!.toLowerCase() === "host") fields++;
  const isMissing = fields === 0 && req.httpVersion !== "1.0";
  const isHost = /^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i.test(req.headers.host ?? "");
  if (!isMissing && fields <= 1 && isHost) return;
  throw new RequestError("about:blank", 400, "A request must have exactly one Host field, which names a host.");
}

/** The log warns of at most so many peers that send a forwarded header. */
const maxWarnings = 16;

/** Finds the client's address and the server's URL: from a trusted proxy's headers, otherwise from the connection. */
export class Proxies {
  readonly publicUrl: string;
  readonly #trusted = new BlockList();
  readonly #log: Log;
  readonly #warned = new Set<string>();

  constructor({ trusted, publicUrl, log }: ProxiesOptions) {
    for (const network of trusted) {
      const [address = "", prefix] = network.split("/");
      if (prefix === undefined) this.#trusted.addAddress(address, family(address));
      else this.#trusted.addSubnet(address, Number(prefix), family(address));
    }
    this.publicUrl = publicUrl;
    this.#log = log;
  }

  /**
   * The client's address. Undefined when it cannot be known: the client has gone, or it is behind a nearby proxy (loopback
   * or private) that is not trusted, so that all clients seem to have one address.
   */
  clientAddress(req: IncomingMessage): string | undefined {
    const { remoteAddress } = req.socket;
    if (remoteAddress === undefined) return undefined;
    const peer = plain(remoteAddress);
    if (this.#isTrusted(peer)) return this.#lastHop(req, peer);
    const header = forwardedHeader(req);
    if (header === undefined) return peer;
    this.#warn(peer, header);
    return isIP(peer) !== 0 && isPrivateAddress(peer) ? undefined : peer;
  }

  /** Whether the address is that of a proxy, so that many clients come from it. */
  isProxy(address: string): boolean {
    return this.#isTrusted(plain(address));
  }

  /** The server's URL as the client sees it, without a final slash. */
  baseUrl(req: IncomingMessage): string {
    if (this.publicUrl !== "") return this.publicUrl.replace(/\/+$/, "");
    const peer = plain(req.socket.remoteAddress ?? "");
    const isTrusted = this.#isTrusted(peer);
    const header = forwardedHeader(req);
    if (header !== undefined && !isTrusted) this.#warn(peer, header);
    const forwarded = isTrusted ? this.#forwardedTo(req, peer) : {};
    const host = forwarded.host ?? req.headers.host ?? "";
    const isHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host);
    return `${this.isEncrypted(req) ? "https" : "http"}://${isHost ? host : "localhost"}`;
  }

  /** Whether the client's own connection is encrypted: as the trusted proxy says, or else that to this server. */
  isEncrypted(req: IncomingMessage): boolean {
    const peer = plain(req.socket.remoteAddress ?? "");
    const { proto } = this.#isTrusted(peer) ? this.#forwardedTo(req, peer) : {};
    if (proto !== undefined) return proto.toLowerCase() === "https";
    return "encrypted" in req.socket && req.socket.encrypted === true;
  }

  /**
   * Reads the hops from the right, past the trusted proxies; the client may have written whatever is further left.
   * If the two headers differ, the client wrote one of them and there is no telling which.
   */
  #lastHop(req: IncomingMessage, peer: string): string {
    const chains = [commaList(req.headers["x-forwarded-for"]), forwardedElements(req).map((pairs) => pairs.for ?? "")];
    const last = chains
      .filter((chain) => chain.some((hop) => hop !== ""))
      .map((chain) => this.#walk(chain, peer).address);
    return new Set(last).size === 1 ? last[0]! : peer;
  }

  /** The client, and how many proxies in a row, including the peer, are trusted. */
  #walk(chain: string[], peer: string): { address: string; proxies: number } {
    let address = peer;
    let proxies = 1;
    for (const hop of chain.toReversed()) {
      const next = hopAddress(hop);
      if (next === undefined) break;
      address = next;
      if (!this.#isTrusted(address)) break;
      proxies++;
    }
    return { address, proxies };
  }

  /**
   * The URL that the client asked for, from the outermost trusted proxy. Of several values it takes the one as far from
   * the right as there are trusted proxies; the client may have written whatever is further left.
   */
  #forwardedTo(req: IncomingMessage, peer: string): { proto?: string | undefined; host?: string | undefined } {
    const elements = forwardedElements(req);
    const forwarders = this.#walk(
      elements.map((pairs) => pairs.for ?? ""),
      peer,
    ).proxies;
    const element = elements.slice(-forwarders)[0] ?? {};
    const { proxies } = this.#walk(commaList(req.headers["x-forwarded-for"]), peer);
    const of = (name: string) => commaList(req.headers[name]).slice(-proxies)[0]?.trim();
    return { proto: of("x-forwarded-proto") ?? element.proto, host: of("x-forwarded-host") ?? element.host };
  }

  #isTrusted(address: string): boolean {
    return isIP(address) !== 0 && this.#trusted.check(address, family(address));
  }

  /** Warns once of each peer that sends a proxy's headers without being trusted. */
  #warn(peer: string, header: string): void {
    if (this.#warned.has(peer) || this.#warned.size >= maxWarnings) return;
    this.#warned.add(peer);
    this.#log.warn(
      { peer, header, option: "--trusted-proxies" },
      "ignored a forwarded header from a peer that is not a trusted proxy: name your own proxies in the option",
    );
  }
}

const forwardedHeaders = ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host"] as const;

/** The header by which a peer acts as a proxy. */
function forwardedHeader(req: IncomingMessage): string | undefined {
  return forwardedHeaders.find((name) => req.headers[name] !== undefined);
}

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Without a zone; an IPv4-mapped address becomes plain IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

function commaList(header: string | string[] | undefined): string[] {
  return header === undefined ? [] : String(header).split(",");
}

/** RFC 7239 §6: an address, perhaps with a port; undefined for "unknown" and obfuscated identifiers. */
function hopAddress(hop: string): string | undefined {
  const text = hop.trim();
  const address = plain(/^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text);
  return isIP(address) === 0 ? undefined : address;
}

type Pairs = Partial<Record<string, string>>;

/** No proxy writes a longer header, and parsing one takes long. */
const maxForwardedLength = 2_000;

/** RFC 7239 §4: one element for each hop, the nearest last. */
function forwardedElements(req: IncomingMessage): Pairs[] {
  const header = String(req.headers.forwarded ?? "");
  if (header.length > maxForwardedLength) return [];
  const elements = header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return elements.map((element) => {
    const pairs = [...element.matchAll(/([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g)];
    return Object.fromEntries(
      pairs.map(([, name, quoted, token]) => [name!.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? token!]),
    );
  });
}
