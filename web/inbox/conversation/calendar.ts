/** What a calendar object (RFC 5545) in a mail says, as far as a reader needs it to decide. */
export interface CalendarEvent {
  /** RFC 5546: what the sender wants; `PUBLISH` where nothing is said. */
  method: string;
  summary: string;
  location: string;
  description: string;
  start: Moment | undefined;
  end: Moment | undefined;
  /** RECUR, as written; "" for an event that happens once. */
  rule: string;
  isCancelled: boolean;
  organizer: Person | undefined;
  attendees: Person[];
  /** How many attendees there are; `attendees` has the first of them. */
  attendeeCount: number;
}

export interface Person {
  name: string;
  email: string;
  /** PARTSTAT in lower case: `accepted`, `declined`, `tentative`, `needs-action`; "" if nothing is said. */
  answer: string;
}

/** A time on the calendar: a whole day, an instant, or a time by the clocks of wherever one is. */
export interface Moment {
  kind: "day" | "instant" | "floating";
  /** Milliseconds; of a day or a floating time as if it were UTC. */
  at: number;
  /** The name of the sender's time zone, if it is one that this browser does not know: the time is then by its clocks. */
  zone: string;
}

interface Line {
  name: string;
  parameters: Map<string, string>;
  value: string;
}

const maxLines = 20_000;
const maxAttendees = 50;
const maxTextLength = 5_000;

/** The first event, or undefined if the text has none that can be read. */
export function readCalendar(text: string): CalendarEvent | undefined {
  const lines = unfolded(text);
  const method =
    lines
      .find(({ name }) => name === "METHOD")
      ?.value.trim()
      .toUpperCase() || "PUBLISH";
  const event = component(lines, "VEVENT");
  if (!event) return undefined;
  const value = (name: string) => event.find((line) => line.name === name);
  const textOf = (name: string) => unescaped(value(name)?.value ?? "").slice(0, maxTextLength);
  const start = momentOf(value("DTSTART"));
  const attendees = event.filter(({ name }) => name === "ATTENDEE");
  const organizer = value("ORGANIZER");
  return {
    ...{ method, start, summary: textOf("SUMMARY"), location: textOf("LOCATION"), description: textOf("DESCRIPTION") },
    end: endOf(start, value("DTEND"), value("DURATION")),
    rule: value("RRULE")?.value.trim() ?? "",
    isCancelled: method === "CANCEL" || value("STATUS")?.value.trim().toUpperCase() === "CANCELLED",
    organizer: organizer && personOf(organizer),
    attendees: attendees.slice(0, maxAttendees).map(personOf),
    attendeeCount: attendees.length,
  };
}

/** RFC 5545 §3.1 */
function unfolded(text: string): Line[] {
  const lines = text.replace(/\r?\n[ \t]/g, "").split(/\r?\n/, maxLines);
  return lines.flatMap((line) => {
    const [, name, rest, value] =
      /^([\w-]+)((?:;[\w-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)$/s.exec(line) ?? [];
    if (name === undefined) return [];
    const parameters = new Map(
      [...rest!.matchAll(/;([\w-]+)=("[^"]*"|[^";]*)/g)].map(([, key, of]) => [
        key!.toUpperCase(),
        of!.replace(/^"|"$/g, ""),
      ]),
    );
    return [{ name: name.toUpperCase(), parameters, value: value! }];
  });
}

/** The lines of the first such component, without those of components within it. */
function component(lines: readonly Line[], wanted: string): Line[] | undefined {
  const is = (line: Line, name: string) => line.name === name && line.value.trim().toUpperCase() === wanted;
  const begin = lines.findIndex((line) => is(line, "BEGIN"));
  if (begin < 0) return undefined;
  const own: Line[] = [];
  let depth = 0;
  for (const line of lines.slice(begin + 1)) {
    if (depth === 0 && is(line, "END")) return own;
    if (line.name === "BEGIN") depth++;
    else if (line.name === "END") depth--;
    else if (depth === 0) own.push(line);
  }
  return own;
}

const unescaped = (text: string) =>
  text.replace(/\\([nN\\;,:"])/g, (_, char: string) => (char === "n" || char === "N" ? "\n" : char)).trim();

function personOf({ parameters, value }: Line): Person {
  const email = value.trim().replace(/^mailto:/i, "");
  return { name: parameters.get("CN") ?? "", email, answer: parameters.get("PARTSTAT")?.toLowerCase() ?? "" };
}

/** RFC 5545 §3.3.4 and §3.3.5 */
function momentOf(line: Line | undefined): Moment | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(line?.value.trim() ?? "");
  if (!line || !match) return undefined;
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part ? Number(part) : 0));
  const at = Date.UTC(year!, month! - 1, day!, hour, minute, second);
  if (match[4] === undefined) return { kind: "day", at, zone: "" };
  if (match[7] === "Z") return { kind: "instant", at, zone: "" };
  const zone = line.parameters.get("TZID")?.replace(/^\/?(?:[\w.-]+\/\d+_\d\/)?/, "") ?? "";
  const offset = zone === "" ? undefined : offsetAt(zone, at);
  if (offset === undefined) return { kind: "floating", at, zone };
  // The offset may be another one at the time itself, an hour or two from what was taken for it.
  const first = at - offset;
  return { kind: "instant", at: at - (offsetAt(zone, first) ?? offset), zone: "" };
}

/** By how much the clocks of a zone are ahead of UTC; undefined for a zone that is not in the IANA list. */
function offsetAt(zone: string, at: number): number | undefined {
  try {
    const format = new Intl.DateTimeFormat("en-u-ca-gregory-hc-h23", {
      ...{ timeZone: zone, year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type)!;
    return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - at;
  } catch {
    return undefined;
  }
}

function endOf(start: Moment | undefined, end: Line | undefined, duration: Line | undefined): Moment | undefined {
  if (end) return momentOf(end);
  const match = /^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    duration?.value.trim() ?? "",
  );
  if (!start || !match) return undefined;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const length = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds;
  return { ...start, at: start.at + length * 1_000 };
}
