import type { Clock } from "../../base/clock.ts";
import type { Database } from "../core/database.ts";
import { dropSetting, putSetting, settingsBeginning } from "../core/settings.ts";

/** Settings that say until when no body may be removed, one for each that asked for it. */
export const holdPrefix = "bodies_held_until:";
/** What is not renewed within that time was killed. */
const heldForMs = 10 * 60_000;
const renewMs = 60_000;

/**
 * Keeps sweeps from removing bodies during `work`, as for a backup that lists them. Throws if that can't be
 * ensured to the end.
 */
export async function holdBodies<T>(
  { database, clock }: { database: Database; clock: Clock },
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const setting = holdPrefix + name;
  let until = 0;
  const renew = async () => {
    const next = clock.now().getTime() + heldForMs;
    await putSetting(database, setting, new Date(next).toISOString());
    until = next;
  };
  await renew();
  // What fails once is tried again before the time is over.
  const timer = setInterval(() => void renew().catch(() => {}), renewMs);
  try {
    const result = await work();
    if (clock.now().getTime() > until) throw new Error("the sweeps could not be kept waiting: the database was away");
    return result;
  } finally {
    clearInterval(timer);
    await dropSetting(database, setting).catch(() => {});
  }
}

/** Whether no body may be removed now. */
export async function areBodiesHeld(database: Database, now: Date): Promise<boolean> {
  const holds = await settingsBeginning(database, holdPrefix);
  return holds.some(({ value }) => Date.parse(value) > now.getTime());
}
