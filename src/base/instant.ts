/** The range that both can express: Postgres has no year 0, and a JMAP Date no year of five digits. */
const first = Date.parse("0001-01-01T00:00:00Z");
const last = Date.parse("9999-12-31T23:59:59Z");

/**
 * Parses a Date or UTCDate of RFC 8620 §1.4, clamped to the range that can be stored. A leap second (RFC 3339 §5.6) counts
 * as the second after it.
 */
export function instant(date: string): Date {
  const leap = /:60(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(date);
  const time = Date.parse(leap ? date.replace(":60", ":59") : date) + (leap ? 1000 : 0);
  return new Date(Math.min(Math.max(time, first), last));
}
