import { isIP } from "node:net";
import { reverseName } from "../../../base/reverse-name.ts";
import { isAbsent } from "../../resolver.ts";
import { type LookUp, lookUps } from "../look-up.ts";
import type { SmtpInOptions } from "../options.ts";
import { type Check, pass, type Session } from "./stage.ts";

const maxMs = 5_000;
/** Names of one address that are confirmed; more are not looked at. */
const maxNames = 5;

type Means = Pick<SmtpInOptions, "resolver" | "hostname">;

/**
 * What the names of the peer tell: that of its address, confirmed by an address of that name, and that of HELO. Clues alone:
 * many honest servers have neither in order. Asks while the peer goes on, and is told at DATA.
 */
export function senderHost({ resolver, hostname }: Means): { begin: Check<"helo">; report: Check<"data"> } {
  const asked = new WeakMap<Session, Promise<string[]>>();
  return {
    begin: (session) => {
      if (!session.isLoopback) asked.set(session, cluesOf({ ...session }, hostname, lookUps(resolver, maxMs)));
      return pass();
    },
    report: async (session, { clues = [] }) => {
      const found = (await asked.get(session)) ?? [];
      return found.length === 0 ? pass() : pass({ clues: [...clues, ...found] });
    },
  };
}

async function cluesOf(
  session: Pick<Session, "address" | "helo">,
  hostname: string,
  lookUp: LookUp,
): Promise<string[]> {
  const clues = await Promise.all([addressClue(session.address, lookUp), heloClue(session, hostname, lookUp)]);
  return clues.filter((clue) => clue !== undefined);
}

async function addressClue(address: string, lookUp: LookUp): Promise<string | undefined> {
  const reverse = reverseName(address);
  if (reverse === undefined) return undefined;
  const zone = isIP(address) === 6 && !address.includes(".") ? "ip6.arpa" : "in-addr.arpa";
  const names = await answers(lookUp, `${reverse}.${zone}`, "PTR");
  if (names === undefined) return undefined;
  if (names.length === 0) return "address-has-no-name";
  const confirmed = await Promise.all(names.slice(0, maxNames).map((name) => hasAddress(name, address, lookUp)));
  return confirmed.some((is) => is !== false) ? undefined : "name-of-address-not-confirmed";
}

async function heloClue(
  { address, helo }: Pick<Session, "address" | "helo">,
  hostname: string,
  lookUp: LookUp,
): Promise<string | undefined> {
  if (helo === hostname.toLowerCase()) return "helo-is-our-name";
  // RFC 5321 §4.1.3: a peer without a name gives its address.
  const literal = /^\[(?:ipv6:)?(.*)\]$/.exec(helo)?.[1];
  if (literal !== undefined)
    return reverseName(literal) === reverseName(address) ? undefined : "helo-is-another-address";
  if (!helo.includes(".") || isIP(helo) !== 0) return "helo-is-no-name";
  return (await hasAddress(helo, address, lookUp)) === false ? "helo-is-another-host" : undefined;
}

/** Undefined when DNS does not tell. */
async function hasAddress(name: string, address: string, lookUp: LookUp): Promise<boolean | undefined> {
  const type = isIP(address) === 6 && !address.includes(".") ? "AAAA" : "A";
  const addresses = await answers(lookUp, name, type);
  const wanted = reverseName(address);
  return addresses?.some((one) => reverseName(one) === wanted);
}

/** Undefined when DNS does not answer. */
async function answers(lookUp: LookUp, name: string, type: string): Promise<string[] | undefined> {
  try {
    return (await lookUp(name, type)) as string[];
  } catch (error) {
    return isAbsent(error) ? [] : undefined;
  }
}
