import { lru } from "../../../base/lru.ts";
import { reverseName } from "../../../base/reverse-name.ts";
import { isAbsent } from "../../resolver.ts";
import { lookUps } from "../look-up.ts";
import type { DnsList, SmtpInOptions } from "../options.ts";
import { isForHelp } from "./for-help.ts";
import { type Check, pass, refuse, type Session } from "./stage.ts";

/** Weights that come to so much together refuse. */
const refusing = 10;
const maxMs = 4_000;
const rememberedMs = 5 * 60_000;

type Means = Pick<SmtpInOptions, "resolver" | "dnsLists">;

/**
 * Looks the peer up in lists of bad and good addresses, while it goes on. Refuses at RCPT, so that whoever is listed can still
 * write to the postmaster. A list that gives no answer counts as one that does not have the address.
 */
export function dnsLists({ resolver, dnsLists: lists = [] }: Means): {
  begin: Check<"connect">;
  judge: Check<"rcpt">;
  report: Check<"data">;
} {
  const known = lru<string, boolean>({ max: 20_000, ttl: rememberedMs });
  const asked = new WeakMap<Session, Promise<DnsList[]>>();

  async function listing(address: string): Promise<DnsList[]> {
    const reversed = reverseName(address);
    if (reversed === undefined) return [];
    const lookUp = lookUps(resolver, maxMs);
    const isListed = async ({ zone }: DnsList): Promise<boolean> => {
      const name = `${reversed}.${zone}`;
      const before = known.get(name);
      if (before !== undefined) return before;
      try {
        const listed = ((await lookUp(name, "A")) as string[]).some(isListing);
        known.set(name, listed);
        return listed;
      } catch (error) {
        if (isAbsent(error)) known.set(name, false);
        return false;
      }
    };
    const found = await Promise.all(lists.map(isListed));
    return lists.filter((_, at) => found[at]);
  }

  return {
    begin: (session) => {
      if (lists.length > 0 && !session.isLoopback) asked.set(session, listing(session.address));
      return pass();
    },
    judge: async (session, { path: { address } }) => {
      const found = (await asked.get(session)) ?? [];
      if (weightOf(found) < refusing || isForHelp(address)) return pass();
      const zones = found.filter(({ weight }) => weight > 0).map(({ zone }) => zone);
      return refuse(550, "5.7.1", `your address ${session.address} is listed by ${zones.join(" and ")}: ask there`);
    },
    report: async (session, { clues = [] }) => {
      const found = (await asked.get(session)) ?? [];
      return found.length === 0 ? pass() : pass({ clues: [...clues, ...found.map(({ zone }) => `listed-by-${zone}`)] });
    },
  };
}

const weightOf = (lists: readonly DnsList[]) => lists.reduce((sum, { weight }) => sum + weight, 0);

/** RFC 5782 §2.1: a listing is an address in 127.0.0.0/8; lists report misuse, such as too many queries, by 127.255.255.x. */
const isListing = (answer: string) => answer.startsWith("127.") && !answer.startsWith("127.255.");
