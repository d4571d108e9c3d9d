import { isPrivateAddress } from "../../../base/private-address.ts";
import { reverseName } from "../../../base/reverse-name.ts";
import { type DnsResolver, isAbsent, withTimeout } from "../../resolver.ts";
import type { Source } from "./pools-file.ts";

export interface HealthOptions {
  resolver: DnsResolver;
  /** Zones that list bad addresses. */
  zones: readonly string[];
}

export interface Health {
  /** What is wrong with its reverse DNS; undefined if nothing is, or DNS gave no answer. */
  reverse: string | undefined;
  /** The zones that list it. */
  listedBy: string[];
}

const maxMs = 10_000;

/** What others see of an address in DNS. What gives no answer counts as right. */
export async function healthOf(source: Source, { resolver, zones }: HealthOptions): Promise<Health> {
  const reversed = reverseName(source.address);
  const ask = async (name: string, type: "A" | "AAAA" | "PTR"): Promise<string[] | undefined> => {
    try {
      return (await withTimeout(resolver.resolve(name, type) as Promise<string[]>, maxMs, name)) ?? [];
    } catch (error) {
      return isAbsent(error) ? [] : undefined;
    }
  };
  const listed = await Promise.all(
    (reversed === undefined ? [] : zones).map(async (zone) =>
      // RFC 5782 §2.1: 127.0.0.2 and up; 127.255.255.x says that we may not ask.
      ((await ask(`${reversed}.${zone}`, "A")) ?? []).some((found) => /^127\.(?!255\.)/.test(found)) ? zone : undefined,
    ),
  );
  const reverse = await reverseFault(source, ask);
  return { reverse, listedBy: listed.filter((zone) => zone !== undefined) };
}

async function reverseFault(
  { address, name }: Source,
  ask: (name: string, type: "A" | "AAAA" | "PTR") => Promise<string[] | undefined>,
): Promise<string | undefined> {
  if (isPrivateAddress(address)) return undefined;
  const zone = address.includes(":") ? "ip6.arpa" : "in-addr.arpa";
  const names = await ask(`${reverseName(address)}.${zone}`, "PTR");
  if (names === undefined) return undefined;
  if (names.length === 0) return `${address} has no name in reverse DNS; it should be ${name}`;
  const plain = names.map((one) => one.replace(/\.$/, "").toLowerCase());
  if (!plain.includes(name)) return `${address} is called ${plain.join(", ")} in reverse DNS, not ${name}`;
  const back = await ask(name, address.includes(":") ? "AAAA" : "A");
  if (back === undefined || back.includes(address)) return undefined;
  return `${name} does not lead back to ${address}`;
}
