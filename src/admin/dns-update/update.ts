import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import type { Random } from "../../base/clock.ts";
import { inTime } from "../../base/in-time.ts";
import { isSigned, signed, type TsigKey } from "./tsig.ts";
import { type RecordType, recordData, textData, updateMessage, type WireRecord } from "./wire.ts";

export interface DnsPrimary {
  /** The address of the zone's primary server. */
  address: string;
  port: number;
  key: TsigKey;
}

/** One record that is to stand there. */
export interface Wish {
  /** Without a final dot. */
  name: string;
  type: RecordType;
  /** As in a zone's file. */
  value: string;
  /** Something else stands in its place, and goes. */
  replaces: boolean;
}

/** The server did not make the change. */
export class UpdateRefused extends Error {}

const ttl = 3_600;
const maxMs = 10_000;

/** RFC 2136: makes the changes to the zone that the domain is in, all or none, and returns its name. Throws UpdateRefused. */
export async function updateZone(
  primary: DnsPrimary,
  { domain, wishes, random, now }: { domain: string; wishes: readonly Wish[]; random: Random; now: Date },
): Promise<string> {
  const resolver = new Resolver({ timeout: maxMs / 2, tries: 2 });
  resolver.setServers([
    primary.address.includes(":") ? `[${primary.address}]:${primary.port}` : `${primary.address}:${primary.port}`,
  ]);
  const zone = await zoneOf(domain, resolver, primary);
  const changes: WireRecord[] = [];
  for (const wish of wishes) changes.push(...(await changesFor(wish, resolver)));
  const id = random(2).readUInt16BE(0);
  const request = signed(updateMessage(id, zone, changes), primary.key, now);
  const answer = await inTime(exchange(primary, request.message), maxMs).catch((error: Error) => {
    throw new UpdateRefused(`the DNS server ${primary.address}:${primary.port} gives no answer: ${error.message}`);
  });
  const isAnswer = answer.length >= 12 && answer.readUInt16BE(0) === id && answer.readUInt16BE(2) >> 15 === 1;
  const code = isAnswer ? answer.readUInt16BE(2) & 15 : -1;
  if (code !== 0) throw new UpdateRefused(reasonOf(code, zone, primary));
  if (!isSigned(answer, primary.key, { mac: request.mac, now })) {
    throw new UpdateRefused(
      `an answer came that ${primary.key.name} did not sign: nothing shows that the zone was changed`,
    );
  }
  return zone;
}

/** The zone whose SOA record the server has, nearest to the domain. */
async function zoneOf(domain: string, resolver: Resolver, { address, port }: DnsPrimary): Promise<string> {
  for (let name = domain; name.includes("."); name = name.slice(name.indexOf(".") + 1)) {
    const soa = await resolver.resolveSoa(name).catch((error: { code?: string }) => {
      if (error.code === "ECONNREFUSED" || error.code === "ETIMEOUT") {
        throw new UpdateRefused(`the DNS server ${address}:${port} gives no answer`);
      }
    });
    if (soa) return name;
  }
  throw new UpdateRefused(`the DNS server ${address}:${port} has no zone for ${domain}`);
}

async function changesFor({ name, type, value, replaces }: Wish, resolver: Resolver): Promise<WireRecord[]> {
  const add: WireRecord = { name, type, class: "IN", ttl, data: recordData(type, value) };
  if (!replaces) return [add];
  const removed = { name, ttl: 0, data: Buffer.alloc(0) };
  // RFC 2181 §10.1: beside an alias, nothing else may stand.
  if (type === "CNAME") return [{ ...removed, type: "ANY", class: "ANY" }, add];
  if (type !== "TXT" || !value.startsWith('"v=spf1')) return [{ ...removed, type, class: "ANY" }, add];
  // What others have in the domain's own TXT records stays.
  const texts = await resolver.resolveTxt(name).catch(() => []);
  const old = texts.filter((strings) => /^v=spf1( |$)/i.test(strings.join("")));
  return [...old.map((strings) => ({ name, type, class: "NONE" as const, ttl: 0, data: textData(strings) })), add];
}

/** RFC 1035 §4.2.2: one message each way over TCP, which has room for all records. */
function exchange({ address, port }: DnsPrimary, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    const socket = connect({ host: address, port }, () => socket.write(Buffer.concat([length, message])));
    let heard = Buffer.alloc(0);
    socket.setTimeout(maxMs, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < 2 || heard.length < 2 + heard.readUInt16BE(0)) return;
      resolve(heard.subarray(2, 2 + heard.readUInt16BE(0)));
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed")));
  });
}

/** RFC 2136 §2.2, RFC 8945 §5.2 */
function reasonOf(code: number, zone: string, { address, port, key }: DnsPrimary): string {
  const server = `the DNS server ${address}:${port}`;
  if (code === 5) return `${server} refuses changes of ${zone} by the key ${key.name}: allow them in its configuration`;
  if (code === 9)
    return `${server} does not know the key ${key.name} with this secret, is not the primary of ${zone}, or its clock differs`;
  if (code === 4) return `${server} takes no updates (RFC 2136)`;
  return `${server} did not change ${zone}: error ${code}`;
}
