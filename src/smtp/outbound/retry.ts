export interface RetryPolicy {
  /** Pauses between attempts, in milliseconds; the last repeats. */
  retrySchedule: number[];
  /** How long to try, in milliseconds. */
  retryFor: number;
}

const jitter = 0.1;

/**
 * When to try again after `attempts` attempts; undefined when the time for retries is over. `random` are four octets, the
 * same for recipients that are to be tried together.
 */
export function nextAttempt(
  { attempts, since, now }: { attempts: number; since: Date; now: Date },
  { retrySchedule, retryFor }: RetryPolicy,
  random: Buffer,
): Date | undefined {
  if (now.getTime() - since.getTime() >= retryFor) return undefined;
  const pause = retrySchedule[Math.min(attempts, retrySchedule.length) - 1] ?? retryFor;
  const spread = 1 + jitter * ((random.readUInt32BE(0) / 2 ** 32) * 2 - 1);
  return new Date(now.getTime() + Math.round(pause * spread));
}
