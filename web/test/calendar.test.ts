import { expect, test } from "vitest";
import { readCalendar } from "../inbox/conversation/calendar.ts";
import { repetitionOf, whenOf } from "../inbox/conversation/calendar-words.ts";

const calendar = (...lines: string[]) =>
  ["BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", ...lines, "END:VEVENT", "END:VCALENDAR"].join("\r\n");

test("what, when, where and who", () => {
  const event = readCalendar(
    calendar(
      "SUMMARY:Lunch\\, again",
      "LOCATION;LANGUAGE=en:Room 3",
      " \\; left door",
      "DTSTART;TZID=Europe/Berlin:20260701T120000",
      'DTEND;TZID="Europe/Berlin":20260701T133000',
      'ORGANIZER;CN="Ann: the boss":mailto:ann@x.test',
      "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:MAILTO:bob@x.test",
      "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:carol@x.test",
      "RRULE:FREQ=WEEKLY;INTERVAL=2",
      "BEGIN:VALARM",
      "SUMMARY:not this",
      "END:VALARM",
    ),
  )!;
  expect(event).toMatchObject({
    ...{
      method: "REQUEST",
      summary: "Lunch, again",
      location: "Room 3; left door",
      isCancelled: false,
      attendeeCount: 2,
    },
    organizer: { name: "Ann: the boss", email: "ann@x.test" },
    attendees: [
      { name: "Bob", email: "bob@x.test", answer: "accepted" },
      { email: "carol@x.test", answer: "needs-action" },
    ],
    start: { kind: "instant", at: Date.UTC(2026, 6, 1, 10) },
    end: { kind: "instant", at: Date.UTC(2026, 6, 1, 11, 30) },
  });
  expect(repetitionOf(event.rule)).toEqual({ every: "WEEKLY", interval: 2 });
  expect(whenOf(event, "en", "UTC")).toMatch(/^Wednesday, July 1, 2026.*10:00.*–.*11:30.*UTC$/);
});

test("whole days end on the day before their end", () => {
  const event = readCalendar(calendar("SUMMARY:Fair", "DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202"))!;
  expect(whenOf(event, "en", "Pacific/Auckland")).toBe("Tuesday, December 1, 2026");
});

test("a duration, and times in a zone nobody knows", () => {
  const event = readCalendar(calendar("DTSTART;TZID=W. Europe Standard Time:20261201T090000", "DURATION:PT1H30M"))!;
  expect(event.start).toEqual({ kind: "floating", at: Date.UTC(2026, 11, 1, 9), zone: "W. Europe Standard Time" });
  expect(whenOf(event, "en")).toMatch(/9:00.*10:30.*\(W\. Europe Standard Time\)$/);
});

test("a cancelled event, and what is no calendar", () => {
  expect(readCalendar(calendar("STATUS:CANCELLED"))!.isCancelled).toBe(true);
  expect(readCalendar("hello")).toBeUndefined();
  expect(readCalendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:cut off")!.summary).toBe("cut off");
  expect(readCalendar(calendar("DTSTART:99999999T999999Z", "DTEND:soon"))!.end).toBeUndefined();
});

test("a thousand guests are counted, and not all are shown", () => {
  const event = readCalendar(calendar(...Array.from({ length: 1000 }, (_, n) => `ATTENDEE:mailto:a${n}@x.test`)))!;
  expect([event.attendees.length, event.attendeeCount]).toEqual([50, 1000]);
});
