// When peers, users and their regions do what, and when they try again.

/** Seconds until a peer offers a refused mail again, attempt by attempt; the last one repeats. Postfix waits 300 s, then twice as long up to 4,000. */
export const peerRetrySeconds = [300, 600, 1200, 2400, 4000];
/** The same for mail of our own queue: `retrySchedule`. */
export const ownRetrySeconds = [120, 300, 600, 900, 1800, 3600];

export type Region = { name: string; part: number; hoursFromUtc: number };

/** Where users live, and one time zone for all of a region. */
export const regions: Region[] = [
  { name: "America", part: 0.3, hoursFromUtc: -6 },
  { name: "Europe", part: 0.35, hoursFromUtc: 1 },
  { name: "Asia", part: 0.35, hoursFromUtc: 7 },
];
/** Fewer users than this live in one region, the second. */
export const usersForRegions = 1_000_000;

// Shapes of a day in local time, hour by hour, and of a week from Monday on; only their proportions count.
const mailHours = [5, 4, 4, 4, 5, 6, 8, 11, 14, 16, 16, 15, 14, 15, 16, 15, 14, 12, 10, 9, 9, 8, 7, 6];
const clientHours = [3, 2, 1, 1, 2, 4, 8, 13, 17, 18, 17, 15, 15, 15, 15, 14, 13, 12, 11, 11, 12, 11, 8, 5];
const weekdays = [11, 11.5, 11.5, 11, 10, 6, 6];

const hourSeconds = 3600;

/** The list with a mean of 1. */
function level(list: number[]): number[] {
  const mean = list.reduce((sum, one) => sum + one, 0) / list.length;
  return list.map((one) => one / mean);
}
const [mailDay, clientDay, week] = [level(mailHours), level(clientHours), level(weekdays)];

/** Between the middles of two hours the level changes evenly. */
function shape(day: number[], local: number): number {
  const hour = local / hourSeconds - 0.5;
  const before = Math.floor(hour);
  const at = (n: number): number => day[((n % 24) + 24) % 24]!;
  const weekday = Math.floor(local / (24 * hourSeconds));
  return (at(before) + (at(before + 1) - at(before)) * (hour - before)) * week[((weekday % 7) + 7) % 7]!;
}

/** Mail that arrives at a time (in seconds since Monday 0:00 UTC) as a multiple of the week's average. */
export const mailShape = (seconds: number, region: Region): number =>
  shape(mailDay, seconds + region.hoursFromUtc * hourSeconds);
/** What clients ask for, likewise. */
export const clientShape = (seconds: number, region: Region): number =>
  shape(clientDay, seconds + region.hoursFromUtc * hourSeconds);

/** The highest of each shape: what has to be carried. */
export const mailPeak = Math.max(...mailDay) * Math.max(...week);
export const clientPeak = Math.max(...clientDay) * Math.max(...week);
