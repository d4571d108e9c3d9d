import { computed } from "@preact/signals";
import { locale } from "./messages.ts";

const formats = computed(() => {
  const of = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale.value, options);
  return {
    time: of({ timeStyle: "short" }),
    weekday: of({ weekday: "short" }),
    day: of({ day: "numeric", month: "short" }),
    date: of({ dateStyle: "medium" }),
    moment: of({ weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }),
    full: of({ dateStyle: "full", timeStyle: "short" }),
  };
});

const dayMs = 86_400_000;

/** As short as a list can show it: the time of today, the weekday within the week, else the day. */
export function shortDate(instant: string, now = Date.now()): string {
  const date = new Date(instant);
  const { time, weekday, day, date: whole } = formats.value;
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (date.getTime() >= midnight && date.getTime() < midnight + dayMs) return time.format(date);
  if (date.getTime() < midnight && date.getTime() >= midnight - 6 * dayMs) return weekday.format(date);
  return date.getFullYear() === new Date(now).getFullYear() ? day.format(date) : whole.format(date);
}

/** A moment near now: weekday, day and time. */
export const shortMoment = (instant: string): string => formats.value.moment.format(new Date(instant));

/** With weekday, year and time. @public */
export const longDate = (instant: string): string => formats.value.full.format(new Date(instant));
