import { isPrivateAddress } from "../../base/private-address.ts";
import { type DnsRecord, quote, unquote, zoneLine } from "../dns-records.ts";
import type { Checked } from "./checked.ts";
import { addressesOf, lookUp, plain, type Resolve } from "./look-up.ts";

export interface RecordMeans {
  resolver: Resolve;
  hostname: string;
  /** The server's public addresses, as far as they are known. */
  addresses: readonly string[];
  /** Loopback and private addresses are as good as others. */
  allowPrivateTargets: boolean;
}

type Found = Pick<Checked, "state" | "found"> & { advice?: string; value?: string };
type Check = (record: DnsRecord, means: RecordMeans) => Promise<Found>;

const silent: Found = { state: "unknown", found: [], advice: "DNS gave no answer: try again" };

/** Compares DNS with a record that should be there. */
export async function checkRecord(record: DnsRecord, means: RecordMeans): Promise<Checked> {
  const { state, found, advice, value = record.value } = await checks[record.purpose](record, means);
  const line = zoneLine({ ...record, value });
  return {
    record: record.purpose,
    name: plain(record.name),
    state,
    found,
    expected: line,
    advice: state === "right" ? null : (advice ?? `publish: ${line}`),
    needed: isNeeded(record),
  };
}

/** Without them mail does not arrive, or is taken for spam. Keys that sign no more, or not yet, are not among them. */
const isNeeded = ({ purpose, note }: DnsRecord) =>
  ["address", "MX", "SPF", "DMARC"].includes(purpose) || (purpose === "DKIM" && note === undefined);

async function checkMx({ name }: DnsRecord, { resolver, hostname }: RecordMeans): Promise<Found> {
  const records = await lookUp(resolver, name, "MX");
  if (!records) return silent;
  const found = records.map(({ priority, exchange }) => `${priority} ${exchange === "" ? "." : exchange}`);
  if (records.length === 0) return { state: "missing", found };
  if (records.every(({ exchange }) => plain(exchange) !== hostname))
    return { state: "wrong", found, advice: `its mail goes elsewhere: let the MX record name ${hostname}` };
  const [first] = records.toSorted((one, other) => one.priority - other.priority);
  if (records.some(({ priority, exchange }) => priority === first!.priority && plain(exchange) === hostname))
    return { state: "right", found };
  return { state: "wrong", found, advice: `servers try ${first!.exchange} first: give ${hostname} the lowest number` };
}

/** The texts of a name that begin so; undefined if DNS gives no answer. */
async function textsOf(resolver: Resolve, name: string, begin: RegExp): Promise<string[] | undefined> {
  const records = await lookUp(resolver, name, "TXT");
  return records?.map((strings) => strings.join("")).filter((text) => begin.test(text));
}

const several = (what: string) => `keep one ${what} record of these: with several, none counts`;

/** RFC 7208 §4.5: exactly one record, and it must let the server's addresses pass. */
async function checkSpf({ name, value }: DnsRecord, means: RecordMeans): Promise<Found> {
  const { resolver, hostname } = means;
  const texts = await textsOf(resolver, name, /^v=spf1( |$)/i);
  if (!texts) return silent;
  const found = texts.map(quote);
  if (texts.length === 0) return { state: "missing", found };
  if (texts.length > 1) return { state: "wrong", found, advice: several("SPF") };
  const addresses = means.addresses.length > 0 ? means.addresses : await addressesOf(resolver, hostname);
  const results = await Promise.all((addresses ?? []).map((address) => spfResult(plain(name), address, means)));
  if (results.length > 0 && results.every((result) => result === "pass")) return { state: "right", found };
  // Without an address to try, what the record says must do.
  if (results.length === 0 && / \+?mx( |$)/i.test(texts[0]!)) return { state: "right", found };
  const amended = / \+?mx( |$)/i.test(texts[0]!) ? unquote(value) : texts[0]!.replace(/^v=spf1/i, "v=spf1 mx");
  const failed = (addresses ?? []).flatMap((one, at) => (results[at] === "pass" ? [] : [`${one}: ${results[at]}`]));
  const advice = `it does not let ${hostname} send (${failed.join(", ") || "no mx"}): change it to ${quote(amended)}`;
  return { state: "wrong", found, advice, value: quote(amended) };
}

async function spfResult(domain: string, ip: string, { resolver, hostname }: RecordMeans): Promise<string> {
  const { spf } = await import("mailauth");
  const resolve = (name: string, type: string) => resolver.resolve(name, type);
  try {
    const { status } = await spf({
      ...{ ip, helo: hostname, sender: `postmaster@${domain}`, mta: hostname },
      resolver: resolve as NonNullable<Parameters<typeof spf>[0]["resolver"]>,
    });
    return status.result;
  } catch {
    return "temperror";
  }
}

const keyIn = (record: string) => /(?:^|;)\s*p=([^;]*)/.exec(record)?.[1]?.replace(/\s/g, "");

/** RFC 6376 §3.6.2: the key must be the one that signs. */
async function checkDkim({ name, value }: DnsRecord, { resolver }: RecordMeans): Promise<Found> {
  const records = await lookUp(resolver, name, "TXT");
  if (!records) return silent;
  const texts = records.map((strings) => strings.join(""));
  const found = texts.map(quote);
  if (texts.length === 0) return { state: "missing", found };
  const wanted = keyIn(unquote(value));
  if (!texts.some((text) => keyIn(text) === wanted)) return { state: "wrong", found };
  return texts.length === 1 ? { state: "right", found } : { state: "wrong", found, advice: several("DKIM") };
}

/** RFC 9989: exactly one record with a policy. */
async function checkDmarc({ name }: DnsRecord, { resolver }: RecordMeans): Promise<Found> {
  const texts = await textsOf(resolver, name, /^v\s*=\s*DMARC1\s*(;|$)/);
  if (!texts) return silent;
  const found = texts.map(quote);
  if (texts.length === 0) return { state: "missing", found };
  if (texts.length > 1) return { state: "wrong", found, advice: several("DMARC") };
  const isPolicy = /;\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)/i.test(texts[0]!);
  return { state: isPolicy ? "right" : "wrong", found };
}

/** RFC 8460 §3 and RFC 8461 §3.1: one record with what makes it count. */
const oneText = (what: string, begin: RegExp, pattern: RegExp): Check => {
  return async ({ name }, { resolver }) => {
    const texts = await textsOf(resolver, name, begin);
    if (!texts) return silent;
    const found = texts.map(quote);
    if (texts.length === 0) return { state: "missing", found };
    if (texts.length > 1) return { state: "wrong", found, advice: several(what) };
    return { state: pattern.test(texts[0]!) ? "right" : "wrong", found };
  };
};

const checkTlsReports = oneText("TLSRPT", /^v=TLSRPTv1\s*;/, /;\s*rua=(mailto|https):\S/);
const checkStsId = oneText("MTA-STS", /^v=STSv1\s*;/, /;\s*id=[A-Za-z0-9]{1,32}\s*(;|$)/);

/** RFC 2782: a record that names the host and port. */
async function checkService({ name, value }: DnsRecord, { resolver }: RecordMeans): Promise<Found> {
  const records = await lookUp(resolver, name, "SRV");
  if (!records) return silent;
  const found = records.map((one) => `${one.priority} ${one.weight} ${one.port} ${one.name || "."}`);
  const [, , port, host] = value.split(" ");
  const isThere = records.some((one) => String(one.port) === port && plain(one.name) === plain(host!));
  return { state: isThere ? "right" : records.length === 0 ? "missing" : "wrong", found };
}

/** A name that may be an alias of the host, or have its addresses. */
async function checkAlias({ name, value }: DnsRecord, { resolver }: RecordMeans): Promise<Found> {
  const [aliases, own, theirs] = await Promise.all([
    lookUp(resolver, name, "CNAME"),
    addressesOf(resolver, name),
    addressesOf(resolver, value),
  ]);
  if (aliases?.some((alias) => plain(alias) === plain(value))) return { state: "right", found: aliases };
  if (!own) return silent;
  const found = aliases?.length ? aliases : own;
  if (found.length === 0) return { state: "missing", found };
  return { state: own.length > 0 && own.some((one) => theirs?.includes(one)) ? "right" : "wrong", found };
}

/** The host's own addresses: all that are known must be there, and nobody outside reaches a private one. */
async function checkAddress(record: DnsRecord, { resolver, allowPrivateTargets }: RecordMeans): Promise<Found> {
  const found = await lookUp(resolver, record.name, record.type as "A" | "AAAA");
  if (!found) return silent;
  if (found.length === 0) return { state: "missing", found };
  if (found.includes(record.value)) return { state: "right", found };
  const isHidden = !allowPrivateTargets && found.every(isPrivateAddress);
  return { state: "wrong", found, ...(isHidden && { advice: "nobody outside reaches a private address" }) };
}

const checks: Record<DnsRecord["purpose"], Check> = {
  address: checkAddress,
  MX: checkMx,
  SPF: checkSpf,
  DKIM: checkDkim,
  DMARC: checkDmarc,
  "TLS reports": checkTlsReports,
  "MTA-STS": (record, means) => (record.type === "CNAME" ? checkAlias(record, means) : checkStsId(record, means)),
  JMAP: checkService,
  submissions: checkService,
  submission: checkService,
  autoconfig: checkAlias,
};
