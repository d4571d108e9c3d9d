import { createHash } from "node:crypto";
import { normalizeAddress, splitAddress } from "../../../base/address.ts";
import type { Clock } from "../../../base/clock.ts";
import { networkOf } from "../../../base/network.ts";
import { retry } from "../../../base/retry.ts";
import type { Database } from "../../../store/core/database.ts";
import { databasePatience } from "../../../store/core/loss.ts";
import { isCorrespondent } from "../../../store/mail/correspondents.ts";
import { findGrey, isGreylistFull, knowGrey, tellGrey } from "../../../store/queues/greylist.ts";
import type { Resolve } from "../../resolver.ts";
import { spfPasses } from "../spf.ts";
import { isForHelp } from "./for-help.ts";
import { type Check, defer, pass, type Session } from "./stage.ts";

interface Means {
  database: Database;
  clock: Clock;
  resolver: Resolve;
  hostname: string;
  /** (Default: false) */
  greylist?: boolean;
  /** (Default: 1,000,000) */
  maxGreylisted?: number;
}

/** Before this time nobody comes again who takes no notice of our reply. */
const waitMs = 5 * 60_000;
/** Later it is not the same attempt. */
const patienceMs = 86_400_000;
/** How old the time may be at which somebody known was seen last. */
const touchEveryMs = 86_400_000;
const usualMax = 1_000_000;
const countEveryMs = 30_000;

/**
 * RFC 6647: puts off mail of strangers once, since most that send spam do not try again. No strangers are: those whose SPF
 * passes, whom the account has written to, and networks that have come again with mail of the same domain.
 */
export function greylist(means: Means): Check<"rcpt"> {
  const { database, clock, greylist: isOn = false, maxGreylisted = usualMax } = means;
  const spf = spfPasses(means);
  const isFull = fullness(() => isGreylistFull(database, maxGreylisted));

  const judge = async (session: Session, mailFrom: string, recipient: { address: string; userId: number }) => {
    const sender = normalizeAddress(mailFrom) ?? "";
    const network = greyNetwork(session.address);
    const [known, tried] = [
      keyOf(network, splitAddress(sender)?.domain ?? ""),
      keyOf(network, sender, recipient.address),
    ] as const;
    const now = clock.now();
    const rows = await findGrey(database, [known, tried]);
    const acquaintance = rows.find(({ key, isKnown }) => isKnown && key.equals(known));
    if (acquaintance) {
      if (now.getTime() - acquaintance.lastAt.getTime() > touchEveryMs) await knowGrey(database, known, now);
      return pass();
    }
    if (await isCorrespondent(database, recipient.userId, sender)) return pass();
    if ((await spf(session, mailFrom)) || isFull()) return pass();
    const since = new Date(now.getTime() - patienceMs);
    const firstAt = await tellGrey(database, tried, { now, since });
    const left = firstAt.getTime() + waitMs - now.getTime();
    if (left > 0) {
      const minutes = Math.ceil(left / 60_000);
      const text = `we don't know you yet: try again in ${minutes} min, as mail servers do by themselves`;
      return defer(451, "4.7.1", text, "greylisted");
    }
    await knowGrey(database, known, now);
    return pass();
  };

  return async (session, { mailFrom, path: { address }, entry }) => {
    // Reports to a return path of ours have no entry.
    if (!isOn || session.isLoopback || !entry || isForHelp(address)) return pass();
    return retry(() => judge(session, mailFrom, entry), databasePatience);
  };
}

/** Large senders try again from a neighbouring address: the /24 of IPv4, the /64 of IPv6. */
function greyNetwork(address: string): string {
  const network = networkOf(address);
  return network.includes(":") ? network : network.replace(/\.\d+$/, "");
}

const keyOf = (...parts: string[]) => createHash("sha256").update(parts.join("\0")).digest().subarray(0, 16);

/** Known to within half a minute; the question itself waits for nothing. */
function fullness(count: () => Promise<boolean>): () => boolean {
  let isFull = false;
  let countedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - countedAt >= countEveryMs) {
      countedAt = now;
      count().then(
        (is) => {
          isFull = is;
        },
        () => {},
      );
    }
    return isFull;
  };
}
