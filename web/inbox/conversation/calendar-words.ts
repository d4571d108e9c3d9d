import type { CalendarEvent, Moment } from "./calendar.ts";

const dayMs = 86_400_000;

/** "Tuesday, 1 December 2026, 14:00 – 15:00", by the reader's clocks where the sender's zone is known. */
export function whenOf({ start, end }: Pick<CalendarEvent, "start" | "end">, locale: string, zone?: string): string {
  if (!start) return "";
  const timeZone = start.kind === "instant" ? zone : "UTC";
  const date = { weekday: "long", year: "numeric", month: "long", day: "numeric" } as const;
  const time = { hour: "numeric", minute: "2-digit" } as const;
  const format = new Intl.DateTimeFormat(locale, {
    ...date,
    ...(start.kind !== "day" && time),
    ...(start.kind === "instant" && { timeZoneName: "short" as const }),
    ...(timeZone !== undefined && { timeZone }),
  });
  // The end of a whole day is the day after it (RFC 5545 §3.6.1).
  const last = end && lastOf(start, end);
  const text = last && last > start.at ? format.formatRange(start.at, last) : format.format(start.at);
  return start.zone === "" ? text : `${text} (${start.zone})`;
}

function lastOf(start: Moment, end: Moment): number {
  return start.kind === "day" ? end.at - dayMs : end.at;
}

export interface Repetition {
  every: "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";
  interval: number;
}

/** The part of a rule (RFC 5545 §3.3.10) that says how often; undefined for other rules than by day, week, month, year. */
export function repetitionOf(rule: string): Repetition | undefined {
  const every = /(?:^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)/i.exec(rule)?.[1]?.toUpperCase();
  if (every === undefined) return undefined;
  return {
    every: every as Repetition["every"],
    interval: Number(/(?:^|;)INTERVAL=(\d{1,3})(?:;|$)/i.exec(rule)?.[1] ?? 1),
  };
}
