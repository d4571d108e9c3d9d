import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import { lru } from "../../../base/lru.ts";
import { type DnsAnswer, type DnsType, dnsQuery, readDnsAnswer } from "./dns-message.ts";

/** DNS did not answer, or the resolver found that the answer's signatures do not hold (SERVFAIL). */
export class DnsFailed extends Error {}

const noSuchName = 3;
const udpMs = 3_000;
const udpTries = 3;
const tcpMs = 5_000;
const maxMessage = 65_535;
const maxKept = 10_000;
const maxKeptMs = 5 * 60_000;

/**
 * Asks a validating resolver that is trusted, as is the way to it, whether an answer is authentic: node:dns hides the AD bit.
 * Over UDP, and over TCP if the answer is too long for that.
 */
export class DnssecResolver {
  readonly #server: { host: string; port: number };
  readonly #kept = lru<string, Promise<DnsAnswer>>({ max: maxKept });

  /** `server`: host:port, with IPv6 in brackets; without a port 53. */
  constructor(server: string) {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server) ?? [];
    this.#server = { host: bracketed ?? plain ?? server, port: Number(port ?? 53) };
  }

  /** The answer, also when there is no such name or record; kept for as long as it holds. Throws DnsFailed. */
  ask(name: string, type: DnsType): Promise<DnsAnswer> {
    const key = `${type} ${name.toLowerCase()}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const asked = this.#ask(name, type);
    this.#kept.set(key, asked, { ttl: maxKeptMs });
    asked.then(
      ({ ttlSeconds }) => {
        const ttl = Math.min(ttlSeconds * 1_000, maxKeptMs);
        if (ttl > 0) this.#kept.set(key, asked, { ttl });
        else this.#kept.delete(key);
      },
      () => this.#kept.delete(key),
    );
    return asked;
  }

  async #ask(name: string, type: DnsType): Promise<DnsAnswer> {
    let trouble = "";
    for (let no = 0; no < udpTries; no++) {
      try {
        const answer = await this.#once(name, type);
        if (answer.code === 0 || answer.code === noSuchName) return answer;
        trouble = `code ${answer.code}`;
        break;
      } catch (error) {
        trouble = (error as Error).message;
      }
    }
    throw new DnsFailed(`DNS has no valid answer for ${type} of ${name} (${trouble})`);
  }

  async #once(name: string, type: DnsType): Promise<DnsAnswer> {
    const id = randomInt(0x10000);
    const query = dnsQuery(id, name, type);
    const short = await this.#overUdp(query, (bytes) => readDnsAnswer(bytes, { id, name, type }));
    if (!short.isTruncated) return short;
    return readDnsAnswer(await this.#overTcp(query), { id, name, type });
  }

  #overUdp<T>(query: Buffer, read: (bytes: Buffer) => T): Promise<T> {
    const { host, port } = this.#server;
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
      const end = (work: () => void) => {
        clearTimeout(timer);
        socket.close();
        work();
      };
      const timer = setTimeout(() => end(() => reject(new Error("no answer in time"))), udpMs);
      socket.once("error", (error) => end(() => reject(error)));
      socket.on("message", (bytes) => {
        try {
          const answer = read(bytes);
          end(() => resolve(answer));
        } catch {
          // Anybody may send something to this port; the answer may still come.
        }
      });
      // Connected, it hears this server alone.
      socket.connect(port, host, () => socket.send(query, (error) => error && end(() => reject(error))));
    });
  }

  #overTcp(query: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#server);
      const chunks: Buffer[] = [];
      let length = 0;
      const end = (work: () => void) => {
        clearTimeout(timer);
        socket.destroy();
        work();
      };
      const timer = setTimeout(() => end(() => reject(new Error("no answer in time"))), tcpMs);
      socket.once("connect", () => {
        const prefix = Buffer.alloc(2);
        prefix.writeUInt16BE(query.length);
        socket.write(Buffer.concat([prefix, query]));
      });
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxMessage + 2) return end(() => reject(new Error("too long an answer")));
        if (length < 2) return;
        const all = Buffer.concat(chunks);
        const size = all.readUInt16BE(0);
        if (all.length >= size + 2) end(() => resolve(all.subarray(2, size + 2)));
      });
      socket.once("error", (error) => end(() => reject(error)));
      socket.once("close", () => end(() => reject(new Error("connection closed"))));
    });
  }
}
