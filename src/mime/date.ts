import { normalized } from "../base/normalize.ts";
import { unfold } from "./field.ts";
import { withoutComments } from "./tokens.ts";

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** RFC 5322 §4.3: the zones with a known offset. All others, including military letters, count as unknown, so UTC. */
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

/** Month names in other languages, as some programs write them, by their first letters. */
const otherMonths: Record<string, number> = {
  ...{
    ene: 1,
    gen: 1,
    fev: 2,
    mrz: 3,
    mrt: 3,
    abr: 4,
    avr: 4,
    mai: 5,
    maj: 5,
    mei: 5,
    mag: 5,
    giu: 6,
    juin: 6,
    juil: 7,
  },
  ...{ lug: 7, ago: 8, aou: 8, set: 9, okt: 10, out: 10, ott: 10, dez: 12, dic: 12, des: 12 },
};

const [day, month, year] = ["(?<day>\\d{1,2})(?:st|nd|rd|th|\\.)?", "(?<month>\\p{L}{3,12})\\.?", "(?<year>\\d{2,4})"];
const time = "(?<hour>\\d{1,2})[:.](?<minute>\\d{2})(?:[:.](?<second>\\d{2})(?:[.,]\\d+)?)?";
const weekday = "(?:\\p{L}+\\.? )?";
const zone = "(?: ?(?<zone>\\D.*))?";
const form = (pattern: string) => new RegExp(`^${pattern}$`, "u");

/** RFC 5322 §3.3 and other forms found in mail: RFC 850 (hyphens), JavaScript's Date(), asctime, ISO 8601. */
const forms = [
  form(`${weekday}${day}[ -]*${month}[ -]+${year} ${time}${zone}`),
  form(`${weekday}${month} ${day} ${year} ${time}${zone}`),
  form(`${weekday}${month} ${day} ${time}(?<named> [A-Za-z]{1,5})? ${year}${zone}`),
  form(`${weekday}${day} ${month} ${time}(?<named> [A-Za-z]{1,5})? ${year}${zone}`),
  form(`(?<year>\\d{4})([-/.])(?<month>\\d{1,2})\\2(?<day>\\d{1,2})[Tt ] ?${time}${zone}`),
  form(
    `(?<year>\\d{4})(?<month>\\d{2})(?<day>\\d{2})[Tt](?<hour>\\d{2})(?<minute>\\d{2})(?:(?<second>\\d{2})(?:[.,]\\d+)?)?${zone}`,
  ),
  form("(?<year>\\d{4})(-?)(?<month>\\d{2})\\2(?<day>\\d{2})[Zz]?"),
];

function monthNumber(name: string): number {
  if (/^\d/.test(name)) return Number(name);
  const plain = normalized(name, "NFD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
  return (
    months.indexOf(plain.slice(0, 3)) + 1 || (otherMonths[plain.slice(0, 3)] ?? otherMonths[plain.slice(0, 4)] ?? 0)
  );
}

/** Some programs write a name before the offset, a colon inside it or a comment after it. */
const numericZone = /^(?:[A-Z]{1,5})? ?([+-]\d{1,2})(?::?(\d{2}))?(?:[ [].*)?$/;
/** A zone name of one or more words; AM and PM are not zones. */
const namedZone = /^(?![AP]M\b)[A-Z][A-Z/_ -]{0,60}$/;

/** RFC 5322 §4.3: years of two or three digits. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return text.length === 3 ? 1900 + year : year;
}

/** The RFC 3339 time-offset of a zone; undefined if invalid. A missing zone counts as RFC 5322's -0000. */
function offset(text: string): string | undefined {
  const upper = text.trim().toUpperCase().replace("\u2212", "-");
  if (upper === "") return "Z";
  const named = namedZone.test(upper) && !/[+-]\d/.test(upper) ? (zones[upper] ?? "+0000") : upper;
  const match = numericZone.exec(named);
  if (match === null) return undefined;
  const [sign, hours, minutes] = [match[1]![0]!, match[1]!.slice(1).padStart(2, "0"), match[2] ?? "00"];
  if (hours > "23" || minutes > "59") return undefined;
  return hours + minutes === "0000" ? "Z" : `${sign}${hours}:${minutes}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/**
 * RFC 8621 §4.1.2.6: converts an RFC 5322 §3.3 date, its obsolete forms and others found in mail to RFC 3339; null if
 * unreadable.
 */
export function asDate(raw: string): string | null {
  if (raw.length > 1000) return null;
  const text = withoutComments(unfold(raw))
    .replace(/\s+/g, " ")
    .replace(/ ?: ?(?=\d)/g, ":")
    .replace(/(?<!:\d\d),|,(?!\d)/g, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  for (const one of forms) {
    const groups = one.exec(text)?.groups;
    if (groups) return dateOf(groups);
  }
  return null;
}

function dateOf(found: Record<string, string | undefined>): string | null {
  // A date without a time means midnight.
  const { day, hour = "0", minute = "00", second = "0" } = found;
  const month = monthNumber(found.month!);
  const year = fullYear(found.year!);
  const time = offset(found.zone ?? found.named ?? "");
  if (month === 0 || month > 12 || time === undefined) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (Number(day) < 1 || Number(day) > lastDay) return null;
  // Most readers reject a leap second.
  const seconds = Math.min(Number(second), 59);
  const clock = `${two(Number(hour))}:${minute}:${two(seconds)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(Number(day))}T${clock}${time}`;
}

/** RFC 5322 §3.3: a JMAP Date as date-time with its offset; undefined if invalid. */
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
