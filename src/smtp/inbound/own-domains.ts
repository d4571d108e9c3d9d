import type { Clock } from "../../base/clock.ts";
import type { Database } from "../../store/core/database.ts";
import { servesAny } from "../../store/directory/directory.ts";

/** Author Domains seen lately that are not served here, and until when that is believed: most mail comes from few. */
const strangers = new WeakMap<Database, Map<string, number>>();
const believed = 10_000;
const most = 1_000;

/** True when the domain, or one above it, is served here. */
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
    if (known.size >= most) known.clear();
    known.set(domain, now + believed);
  }
  return isOurs;
}
