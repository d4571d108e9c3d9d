import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { Log } from "../../base/log.ts";
import { isPrivateAddress } from "../../base/private-address.ts";
import { RequestError } from "../errors.ts";

export interface ProxiesOptions {
  /** Proxies whose word on their clients is taken: addresses and networks such as 192.0.2.0/24. */
  trusted: readonly string[];
  /** Where clients reach the server, without a slash at the end; "" for what the request says. */
  publicUrl: string;
  log: Log;
}

/** RFC 9112 §3.2: one Host, and it is a host. Throws a RequestError of status 400. */
export function checkHost(req: IncomingMessage): void {
  let fields = 0;
  const { rawHeaders } = req;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]!.toLowerCase() === "host") fields++;
  const isMissing = fields === 0 && req.httpVersion !== "1.0";
  const isHost = /^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i.test(req.headers.host ?? "");
  if (!isMissing && fields <= 1 && isHost) return;
  throw new RequestError("about:blank", 400, "A request has one Host field, and that names a host.");
}

/** The most peers that are warned of for a forwarded header. */
const mostWarnings = 16;

/** Who asks, and by which URL: what a trusted proxy says, or else the connection itself. */
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
   * The client's address. Undefined where nobody can tell it: of a client that is gone; and behind a proxy that is near
   * (loopback, private) and not trusted, where all clients have one address.
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

  /** The server's URL as the client sees it, without a slash at the end. */
  baseUrl(req: IncomingMessage): string {
    if (this.publicUrl !== "") return this.publicUrl.replace(/\/+$/, "");
    const peer = plain(req.socket.remoteAddress ?? "");
    const isTrusted = this.#isTrusted(peer);
    const header = forwardedHeader(req);
    if (header !== undefined && !isTrusted) this.#warn(peer, header);
    const forwarded = isTrusted ? this.#forwardedTo(req, peer) : {};
    const host = forwarded.host ?? req.headers.host ?? "";
    const isHost = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host);
    return `${forwarded.proto?.toLowerCase() === "https" ? "https" : "http"}://${isHost ? host : "localhost"}`;
  }

  /**
   * From the right, past the proxies that are trusted: what stands further left, the client may have written itself.
   * Where the two headers differ, one of them is the client's own and nobody knows which.
   */
  #lastHop(req: IncomingMessage, peer: string): string {
    const chains = [commaList(req.headers["x-forwarded-for"]), forwardedElements(req).map((pairs) => pairs.for ?? "")];
    const last = chains
      .filter((chain) => chain.some((hop) => hop !== ""))
      .map((chain) => this.#walk(chain, peer).address);
    return new Set(last).size === 1 ? last[0]! : peer;
  }

  /** The client, and how many proxies in a row, the peer among them, are trusted. */
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
   * What the client asked for, as the outermost trusted proxy tells, which knew it best: of several values, as many from
   * the right as there are such proxies. What stands further left, the client may have written itself.
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

  /** Once of each peer that speaks as a proxy and is no trusted one. */
  #warn(peer: string, header: string): void {
    if (this.#warned.has(peer) || this.#warned.size >= mostWarnings) return;
    this.#warned.add(peer);
    this.#log.warn(
      { peer, header, option: "--trusted-proxies" },
      "a peer that is no trusted proxy sends a forwarded header, which is ignored: a proxy of yours must be named",
    );
  }
}

const forwardedHeaders = ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host"] as const;

/** The one by which a peer speaks as a proxy. */
function forwardedHeader(req: IncomingMessage): string | undefined {
  return forwardedHeaders.find((name) => req.headers[name] !== undefined);
}

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Without a zone, and an IPv4 address as such. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}

function commaList(header: string | string[] | undefined): string[] {
  return header === undefined ? [] : String(header).split(",");
}

/** RFC 7239 §6: an address, perhaps with a port; undefined for "unknown" and for made-up names. */
function hopAddress(hop: string): string | undefined {
  const text = hop.trim();
  const address = plain(/^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(text)?.[1] ?? text);
  return isIP(address) === 0 ? undefined : address;
}

type Pairs = Partial<Record<string, string>>;

/** Longer ones no proxy writes, and they take long to read. */
const longestForwarded = 2_000;

/** RFC 7239 §4: an element a hop, the nearest last. */
function forwardedElements(req: IncomingMessage): Pairs[] {
  const header = String(req.headers.forwarded ?? "");
  if (header.length > longestForwarded) return [];
  const elements = header.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return elements.map((element) => {
    const pairs = [...element.matchAll(/([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g)];
    return Object.fromEntries(
      pairs.map(([, name, quoted, token]) => [name!.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? token!]),
    );
  });
}
