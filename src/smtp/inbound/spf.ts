import type { Resolve } from "../resolver.ts";
import { lookUps } from "./look-up.ts";
import type { Session } from "./stages/stage.ts";

const maxMs = 5_000;

/** RFC 7208: whether the domain of the sender names the peer's address, asked once for a sender of a connection. */
export function spfPasses({ resolver, hostname }: { resolver: Resolve; hostname: string }) {
  const asked = new WeakMap<Session, Map<string, Promise<boolean>>>();
  return (session: Session, mailFrom: string): Promise<boolean> => {
    const known = asked.get(session) ?? new Map<string, Promise<boolean>>();
    asked.set(session, known);
    const key = `${session.helo} ${mailFrom}`;
    const found = known.get(key) ?? passes(session, mailFrom, { resolver, hostname });
    // A transaction has one sender; others are no longer asked for.
    known.clear();
    known.set(key, found);
    return found;
  };
}

async function passes(
  { address, helo }: Session,
  mailFrom: string,
  { resolver, hostname }: { resolver: Resolve; hostname: string },
): Promise<boolean> {
  const { spf } = await import("mailauth");
  const lookUp = lookUps(resolver, maxMs);
  try {
    const { status } = await spf({
      ...{ ip: address, helo, sender: mailFrom, mta: hostname },
      resolver: lookUp as NonNullable<Parameters<typeof spf>[0]["resolver"]>,
    });
    return status.result === "pass";
  } catch {
    return false;
  }
}
