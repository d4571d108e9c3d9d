/** What a cold address may send to a provider on its first day, and on the last of its warm-up. */
const first = 50;
const last = 20_000;

const dayMs = 86_400_000;

export interface Warmth {
  /** When its first mail left. */
  since: Date;
  /** 0: it was warm then. */
  weeks: number;
  /** How often it had to rest of late. */
  rests: number;
}

/**
 * How many messages an address may send to one provider today: more by the same factor each day until the warm-up is over,
 * Infinity afterwards; half as many for each time that it had to rest.
 */
export function plannedFor({ since, weeks, rests }: Warmth, now: Date): number {
  const day = Math.floor((now.getTime() - since.getTime()) / dayMs);
  const days = weeks * 7;
  // An address that was refused does not come back with all that it ever sent.
  const isWarm = day >= days;
  if (isWarm && rests === 0) return Number.POSITIVE_INFINITY;
  const whole = isWarm ? last : first * (last / first) ** (Math.max(day, 0) / days);
  return Math.max(1, Math.round(whole / 2 ** rests));
}

/** The servers of many domains belong to one provider: what their names end in. "mx.far.test" is far.test's. */
export function providerOf(server: string): string {
  const labels = server.toLowerCase().split(".");
  // co.uk, com.br, ne.jp: a short label before the country is none of the provider's.
  const isCountry = labels.at(-1)?.length === 2 && (labels.at(-2)?.length ?? 9) <= 3;
  return labels.slice(isCountry ? -3 : -2).join(".");
}
