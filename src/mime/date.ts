import { unfold } from "./field.ts";
import { withoutComments } from "./tokens.ts";

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** RFC 5322 §4.3: the zones with a known offset; all others, the military letters too, count as unknown, so UTC. */
const zones: Record<string, string> = {
  EST: "-0500",
  EDT: "-0400",
  CST: "-0600",
  CDT: "-0500",
  MST: "-0700",
  MDT: "-0600",
  PST: "-0800",
  PDT: "-0700",
};

const dateTime =
  /^(?:[A-Za-z]+ ?,? ?)?(\d{1,2}) ([A-Za-z]{3})[a-z]* (\d{2,4}) (\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2}))? (.+)$/;

/** Some write GMT before the offset, a colon within it or a remark after it. */
const numericZone = /^(?:GMT|UTC)? ?([+-]\d{2}):?(\d{2})(?: .*)?$/;
const namedZone = /^(?:[A-IK-Z]|UT|[A-Z]{3,5})$/;

/** RFC 5322 §4.3: years of two or three digits. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return text.length === 3 ? 1900 + year : year;
}

/** RFC 3339 time-offset of a zone, or undefined when it cannot be one. */
function offset(text: string): string | undefined {
  const zone = text.toUpperCase();
  const named = namedZone.test(zone) ? (zones[zone] ?? "+0000") : zone;
  const match = numericZone.exec(named);
  if (match === null || match[1]!.slice(1) > "23" || match[2]! > "59") return undefined;
  return match[1]!.slice(1) + match[2]! === "0000" ? "Z" : `${match[1]}:${match[2]}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** RFC 8621 §4.1.2.6: RFC 5322 §3.3 and its obsolete forms to RFC 3339, or null. */
export function asDate(raw: string): string | null {
  if (raw.length > 1000) return null;
  const text = withoutComments(unfold(raw)).replace(/\s+/g, " ").trim();
  const match = dateTime.exec(text);
  if (match === null) return null;
  const [, day, monthName, yearText, hour, minute, second = "0", zone] = match;
  const month = months.indexOf(monthName!.toLowerCase()) + 1;
  const year = fullYear(yearText!);
  const time = offset(zone!);
  if (month === 0 || time === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (Number(day) < 1 || Number(day) > lastDay) return null;
  // A leap second would be no date to most who read it.
  const seconds = Math.min(Number(second), 59);
  const clock = `${two(Number(hour))}:${minute}:${two(seconds)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(Number(day))}T${clock}${time}`;
}

/** RFC 5322 §3.3: a JMAP Date as date-time, keeping its offset; undefined when it is none. */
export function encodeDate(value: string): string | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, zone] = match;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const monthName = months[Number(month) - 1];
  if (Number.isNaN(date.getTime()) || monthName === undefined) return undefined;
  const name = monthName[0]!.toUpperCase() + monthName.slice(1);
  const numeric = zone === "Z" ? "+0000" : zone!.replace(":", "");
  return `${days[date.getUTCDay()]}, ${Number(day)} ${name} ${year} ${hour}:${minute}:${second} ${numeric}`;
}
