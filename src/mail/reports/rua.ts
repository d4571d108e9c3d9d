import type { Resolver } from "node:dns/promises";
import { normalizeAddress, splitAddress } from "../../base/address.ts";
import { inTime } from "../../base/in-time.ts";
import type { ReportKind } from "../../store/queues/report-counts.ts";

type Resolve = Pick<Resolver, "resolve">;

/** Where a domain wants its reports. */
export interface Destination {
  /** mailto: an address. https: a URL. */
  kind: "mailto" | "https";
  to: string;
  /** The largest report it takes, in octets. */
  maxOctets: number;
}

const maxDestinations = 5;
const maxDnsMs = 10_000;

/** The tags of a record such as "v=DMARC1; p=none". */
export function tagsOf(record: string): Map<string, string> {
  const pairs = record.split(";").map((part) => /^\s*([a-z0-9]+)\s*=\s*(.*?)\s*$/i.exec(part));
  return new Map(pairs.flatMap((pair) => (pair ? [[pair[1]!.toLowerCase(), pair[2]!] as const] : [])));
}

/**
 * RFC 8460 §3, RFC 9990 §4: where reports for the domain go, by the record that it has now; none if it wants none. Throws if
 * DNS does not answer.
 */
export async function destinationsOf(kind: ReportKind, domain: string, resolver: Resolve): Promise<Destination[]> {
  const name = kind === "tls" ? `_smtp._tls.${domain}` : `_dmarc.${domain}`;
  const version = kind === "tls" ? /^v=TLSRPTv1\s*(;|$)/ : /^v=DMARC1\s*(;|$)/;
  const records = (await textsOf(name, resolver)).filter((text) => version.test(text));
  if (records.length !== 1) return [];
  const uris = (tagsOf(records[0]!).get("rua") ?? "").split(",").map((uri) => uri.trim());
  const found = uris.flatMap((uri) => destinationOf(uri, kind) ?? []).slice(0, maxDestinations);
  if (kind === "tls") return found;
  const agreed = await Promise.all(found.map(({ to }) => agrees(splitAddress(to)!.domain, domain, resolver)));
  return found.filter((_, at) => agreed[at]);
}

const units: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** RFC 9990 §4: DMARC reports go by mail alone. */
function destinationOf(uri: string, kind: ReportKind): Destination | undefined {
  const [, text = "", number, unit = ""] = /^(.*?)(?:!(\d{1,15})([kmgt]?))?$/i.exec(uri) ?? [];
  const maxOctets = number === undefined ? Number.POSITIVE_INFINITY : Number(number) * units[unit.toLowerCase()]!;
  if (/^mailto:/i.test(text)) {
    const to = addressIn(text.slice(7));
    return to === undefined ? undefined : { kind: "mailto", to, maxOctets };
  }
  if (kind !== "tls" || !/^https:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  return { kind: "https", to: text, maxOctets };
}

function addressIn(text: string): string | undefined {
  try {
    return normalizeAddress(decodeURIComponent(text.split("?", 1)[0]!));
  } catch {
    return undefined;
  }
}

/** RFC 9990 §4: another domain must say that it takes reports of this one. */
async function agrees(destination: string, domain: string, resolver: Resolve): Promise<boolean> {
  const isWithin = (one: string, other: string) => one === other || one.endsWith(`.${other}`);
  if (isWithin(destination, domain) || isWithin(domain, destination)) return true;
  const texts = await textsOf(`${domain}._report._dmarc.${destination}`, resolver);
  return texts.some((text) => /^v=DMARC1\s*(;|$)/.test(text));
}

async function textsOf(name: string, resolver: Resolve): Promise<string[]> {
  try {
    const records = (await inTime(resolver.resolve(name, "TXT"), maxDnsMs)) as string[][];
    return records.map((strings) => strings.join(""));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw error;
  }
}
