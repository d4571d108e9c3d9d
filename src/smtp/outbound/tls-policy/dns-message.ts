/** The types that DANE asks for (RFC 1035 §3.2.2, RFC 3596, RFC 6698 §7.1). */
export const dnsTypes = { A: 1, CNAME: 5, MX: 15, AAAA: 28, TLSA: 52 } as const;
export type DnsType = keyof typeof dnsTypes;

/** RFC 6698 §2.1 */
export interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: Buffer;
}

/** What a response says of a name; `name` is the last one of its chain of aliases, in lower case. */
export interface DnsAnswer {
  /** RFC 4035 §3.2.3: the resolver vouches for the answer, or for there being none. */
  isAuthentic: boolean;
  isTruncated: boolean;
  code: number;
  name: string;
  hasAlias: boolean;
  /** MX: hosts in lower case. */
  exchanges: string[];
  tlsa: TlsaRecord[];
  /** A, AAAA */
  addresses: number;
  /** How long it holds; of an answer without records, as long as its SOA says. */
  ttlSeconds: number;
}

export class BadDnsMessage extends Error {}

const flag = { response: 0x8000, truncated: 0x0200, recurse: 0x0100, authentic: 0x0020 };
const optType = 41;
const soaType = 6;
/** RFC 9715: what passes everywhere without fragments. */
const udpSize = 1_232;
const dnssecOk = 0x8000;

/** RFC 1035 §4.1 with the AD bit (RFC 6840 §5.7) and, by EDNS, the DO bit (RFC 3225). Throws BadDnsMessage for a name that is none. */
export function dnsQuery(id: number, name: string, type: DnsType): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(flag.recurse | flag.authentic, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(1, 10);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(optType, 1);
  opt.writeUInt16BE(udpSize, 3);
  opt.writeUInt16BE(dnssecOk, 7);
  return Buffer.concat([head, wireName(name), Buffer.from([0, dnsTypes[type], 0, 1]), opt]);
}

function wireName(name: string): Buffer {
  const labels = name.replace(/\.$/, "").split(".");
  const parts = labels.map((label) => {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) throw new BadDnsMessage(`not a name in DNS: ${name}`);
    return Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  });
  const wire = Buffer.concat([...parts, Buffer.from([0])]);
  if (wire.length > 255) throw new BadDnsMessage(`not a name in DNS: ${name}`);
  return wire;
}

/** Reads the response to a query. Throws BadDnsMessage if it is none. */
export function readDnsAnswer(bytes: Buffer, asked: { id: number; name: string; type: DnsType }): DnsAnswer {
  try {
    return read(bytes, asked);
  } catch (error) {
    if (error instanceof RangeError) throw new BadDnsMessage("a DNS message that ends early");
    throw error;
  }
}

function read(bytes: Buffer, asked: { id: number; name: string; type: DnsType }): DnsAnswer {
  const flags = bytes.readUInt16BE(2);
  const question = readName(bytes, 12);
  const name = asked.name.replace(/\.$/, "").toLowerCase();
  const isOurs =
    bytes.readUInt16BE(0) === asked.id &&
    (flags & flag.response) !== 0 &&
    bytes.readUInt16BE(4) === 1 &&
    question.name === name &&
    bytes.readUInt16BE(question.end) === dnsTypes[asked.type];
  if (!isOurs) throw new BadDnsMessage("a DNS message that answers something else");
  const isTruncated = (flags & flag.truncated) !== 0;
  const base = { isAuthentic: (flags & flag.authentic) !== 0, isTruncated, code: flags & 0xf };
  if (isTruncated) return collect(base, name, asked.type, { answers: [], authority: [] });
  const answers: Resource[] = [];
  const authority: Resource[] = [];
  let at = question.end + 4;
  for (const [list, count] of [
    [answers, bytes.readUInt16BE(6)],
    [authority, bytes.readUInt16BE(8)],
  ] as const) {
    for (let no = 0; no < count; no++) {
      const resource = readResource(bytes, at);
      list.push(resource);
      at = resource.end;
    }
  }
  return collect(base, name, asked.type, { answers, authority }, bytes);
}

interface Resource {
  name: string;
  type: number;
  ttl: number;
  /** Where its data begins and ends. */
  start: number;
  end: number;
}

const maxAliases = 16;
const usualNegativeTtl = 60;

function collect(
  base: Pick<DnsAnswer, "isAuthentic" | "isTruncated" | "code">,
  asked: string,
  type: DnsType,
  { answers, authority }: { answers: Resource[]; authority: Resource[] },
  bytes: Buffer = Buffer.alloc(0),
): DnsAnswer {
  let name = asked;
  const used: Resource[] = [];
  for (let no = 0; no < maxAliases && type !== "CNAME"; no++) {
    const alias = answers.find((one) => one.type === dnsTypes.CNAME && one.name === name);
    if (!alias) break;
    used.push(alias);
    name = readName(bytes, alias.start).name;
  }
  const found = answers.filter((one) => one.type === dnsTypes[type] && one.name === name);
  const soa = authority.find((one) => one.type === soaType);
  const ttls = found.length > 0 ? [...used, ...found].map(({ ttl }) => ttl) : [soa?.ttl ?? usualNegativeTtl];
  return {
    ...base,
    name,
    hasAlias: used.length > 0 || (type === "CNAME" && found.length > 0),
    exchanges: type === "MX" ? found.map(({ start }) => readName(bytes, start + 2).name) : [],
    tlsa: type === "TLSA" ? found.map((one) => readTlsa(bytes, one)) : [],
    addresses: type === "A" || type === "AAAA" ? found.length : 0,
    ttlSeconds: Math.min(...ttls),
  };
}

function readTlsa(bytes: Buffer, { start, end }: Resource): TlsaRecord {
  if (end - start < 3) throw new BadDnsMessage("a TLSA record that is too short");
  const [usage, selector, matchingType] = [bytes[start]!, bytes[start + 1]!, bytes[start + 2]!];
  return { usage, selector, matchingType, data: Buffer.from(bytes.subarray(start + 3, end)) };
}

function readResource(bytes: Buffer, at: number): Resource {
  const { name, end: start } = readName(bytes, at);
  const [type, ttl, length] = [bytes.readUInt16BE(start), bytes.readUInt32BE(start + 4), bytes.readUInt16BE(start + 8)];
  const end = start + 10 + length;
  if (end > bytes.length) throw new BadDnsMessage("a DNS message that ends early");
  return { name, type, ttl, start: start + 10, end };
}

/** RFC 1035 §4.1.4: a name, in lower case and without its last dot, and where what follows it begins. */
function readName(bytes: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = [];
  let [at, end, length] = [from, -1, 0];
  for (;;) {
    const size = bytes.readUInt8(at);
    if ((size & 0xc0) === 0xc0) {
      const to = bytes.readUInt16BE(at) & 0x3fff;
      if (end < 0) end = at + 2;
      // A pointer leads back, so no name goes round in circles.
      if (to >= at) throw new BadDnsMessage("a DNS name that goes round in circles");
      at = to;
      continue;
    }
    if (size > 63) throw new BadDnsMessage("not a DNS name");
    if (size === 0) return { name: labels.join("."), end: end < 0 ? at + 1 : end };
    length += size + 1;
    if (length > 254 || at + 1 + size > bytes.length) throw new BadDnsMessage("a DNS name that is too long");
    labels.push(bytes.toString("latin1", at + 1, at + 1 + size).toLowerCase());
    at += size + 1;
  }
}
