import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { createServer, type Socket } from "node:net";
import * as packet from "dns-packet";
import { freePorts } from "./ports.ts";

export type RecordData = {
  A: string;
  AAAA: string;
  CNAME: string;
  MX: { preference: number; exchange: string };
  TXT: string;
  PTR: string;
  SRV: { priority: number; weight: number; port: number; target: string };
  TLSA: { usage: number; selector: number; matchingType: number; certificate: Buffer };
};
export type RecordName = keyof RecordData;
/** name → type → all its records. */
export type Zone = Record<string, { [T in RecordName]?: RecordData[T] | RecordData[T][] }>;
export type Query = { name: string; type: string; tcp: boolean };

const codes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
export type Failure = keyof typeof codes | "silence";

/** A real DNS server on loopback whose zone can change at any time. Unknown names are NXDOMAIN. */
export class DnsServer {
  readonly port: number;
  readonly queries: Query[] = [];
  readonly #zone = new Map<string, Map<string, unknown[]>>();
  readonly #failures = new Map<string, Failure>();
  readonly #close: () => Promise<void>;

  constructor(port: number, zone: Zone, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
    for (const [name, types] of Object.entries(zone)) {
      for (const [type, data] of Object.entries(types))
        this.set(name, type as RecordName, data as RecordData[RecordName]);
    }
  }

  /** host:port, as `Resolver.setServers` takes it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Replaces all records of this name and type. */
  set<T extends RecordName>(name: string, type: T, data: RecordData[T] | RecordData[T][]): void {
    const types = this.#zone.get(name.toLowerCase()) ?? new Map<string, unknown[]>();
    types.set(type, Array.isArray(data) ? data : [data]);
    this.#zone.set(name.toLowerCase(), types);
  }

  /** Removes the records of one type of a name, or of all types. */
  remove(name: string, type?: RecordName): void {
    if (type) this.#zone.get(name.toLowerCase())?.delete(type);
    else this.#zone.delete(name.toLowerCase());
  }

  /** Makes every query for the name fail in this way, or succeed again. */
  fail(name: string, failure: Failure | undefined): void {
    if (failure) this.#failures.set(name.toLowerCase(), failure);
    else this.#failures.delete(name.toLowerCase());
  }

  count(name: string, type?: string): number {
    return this.queries.filter((q) => q.name === name.toLowerCase() && (!type || q.type === type)).length;
  }

  /** A resolver that queries only this server. */
  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    resolver.setServers([this.address]);
    return resolver;
  }

  /** The answer's bytes, or undefined to stay silent. */
  answer(bytes: Buffer, tcp: boolean): Buffer | undefined {
    const query = packet.decode(bytes);
    const [question] = query.questions ?? [];
    if (!question) return undefined;
    const name = question.name.toLowerCase();
    this.queries.push({ name, type: question.type, tcp });
    const failure = this.#failures.get(name);
    if (failure === "silence") return undefined;
    const answers = failure ? [] : this.#records(name, question.type, question.name);
    const code = failure ? codes[failure] : answers.length === 0 && !this.#zone.has(name) ? codes.NXDOMAIN : 0;
    const base = { type: "response" as const, id: query.id ?? 0, questions: [question] };
    const flags = packet.AUTHORITATIVE_ANSWER | packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | code;
    const whole = packet.encode({ ...base, flags, answers });
    const edns = query.additionals?.find((one) => one.type === "OPT");
    const limit = edns && "udpPayloadSize" in edns ? Math.max(512, edns.udpPayloadSize) : 512;
    if (tcp || whole.length <= limit) return whole;
    return packet.encode({ ...base, flags: flags | packet.TRUNCATED_RESPONSE, answers: [] });
  }

  #records(name: string, type: string, asked = name, depth = 0): packet.Answer[] {
    const types = this.#zone.get(name);
    const alias = types?.get("CNAME")?.[0] as string | undefined;
    if (alias !== undefined && type !== "CNAME" && depth < 8) {
      const answer = { type: "CNAME", name: asked, ttl: 1, class: "IN", data: alias } as packet.Answer;
      return [answer, ...this.#records(alias.toLowerCase(), type, alias, depth + 1)];
    }
    return (types?.get(type) ?? []).map((data) => {
      const wire = type === "TXT" ? split(String(data)) : data;
      return { type, name: asked, ttl: 1, class: "IN", data: wire } as packet.Answer;
    });
  }

  stop(): Promise<void> {
    return this.#close();
  }
}

/** One character string of a TXT record holds 255 bytes at most (RFC 1035 §3.3.14). */
function split(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) parts.push(bytes.subarray(at, at + 255));
  return parts;
}

function serveTcp(socket: Socket, answer: (bytes: Buffer) => Buffer | undefined): void {
  let rest = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const length = rest.readUInt16BE(0);
      const bytes = answer(rest.subarray(2, 2 + length));
      rest = rest.subarray(2 + length);
      if (!bytes) continue;
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([prefix, bytes]));
    }
  });
}

export async function startDns(zone: Zone = {}): Promise<DnsServer> {
  const [port] = (await freePorts(1)) as [number];
  const udp = createSocket("udp4");
  const open = new Set<Socket>();
  const tcp = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serveTcp(socket, (bytes) => guarded(bytes, true));
  });
  const server = new DnsServer(port, zone, async () => {
    for (const socket of open) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => udp.close(resolve)),
      new Promise<void>((resolve) => tcp.close(() => resolve())),
    ]);
  });
  const guarded = (bytes: Buffer, overTcp: boolean): Buffer | undefined => {
    try {
      return server.answer(bytes, overTcp);
    } catch {
      return undefined;
    }
  };
  udp.on("message", (bytes, peer) => {
    const answer = guarded(bytes, false);
    if (answer) udp.send(answer, peer.port, peer.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve));
  return server;
}
