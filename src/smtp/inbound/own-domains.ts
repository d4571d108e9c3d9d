import type { Clock } from "../../base/clock.ts";
import type { Database } from "../../store/core/database.ts";
import { servesAny } from "../../store/directory/directory.ts";

/**
 * Author Domains recently found not to be served here, and how long to believe that: most mail comes from few domains.
 */
const strangers = new WeakMap<Database, Map<string, number>>();
const believedMs = 10_000;
const maxStrangers = 1_000;

/** True when the domain or one of its parents is served here. */
export async function isOurDomain(domain: string, database: Database, clock: Clock): Promise<boolean> {
  const known = strangers.get(database) ?? new Map<string, number>();
  strangers.set(database, known);
  const now = clock.now().getTime();
  if ((known.get(domain) ?? 0) > now) return false;
  const labels = domain.split(".");
  const isOurs = await servesAny(
    database,
    labels.slice(0, -1).map((_, at) => labels.slice(at).join(".")),
  );
  if (!isOurs) {
    if (known.size >= maxStrangers) known.clear();
    known.set(domain, now + believedMs);
  }
  return isOurs;
}
