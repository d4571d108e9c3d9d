import fc from "fast-check";
import { expect, test } from "vitest";
import { cpuMs } from "../../test/support/cpu.ts";
import { asDate, encodeDate } from "./date.ts";

const at = (zone: string) => `2026-11-29T20:00:00${zone}`;

test.each<[string, string | null]>([
  // RFC 5322 and its obsolete forms.
  ["Sun, 29 Nov 2026 20:00:00 +0200", at("+02:00")],
  ["29 Nov 26 20:00 EST", at("-05:00")],
  ["Sun , 29 (x) Nov 2026 20 : 00 : 00 -0000", at("Z")],
  ["Sun, 29 Nov 126 20:00:00 GMT", at("Z")],
  // Without a zone: UTC.
  ["Sun, 29 Nov 2026 20:00:00", at("Z")],
  ["Sun, 29 Nov 2026 20:00", at("Z")],
  ["29 Nov 2026 20:00:00", at("Z")],
  ["Sun, 29 Nov 2026 20:00:00 (no zone)", at("Z")],
  // Zones.
  ["Sun, 29 Nov 2026 20:00:00 GMT+0200", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00 GMT+02:00", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00 GMT+2", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00 UTC-3", at("-03:00")],
  ["Sun, 29 Nov 2026 20:00:00 +2", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00 +02", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00+0200", at("+02:00")],
  ["Sun, 29 Nov 2026 20:00:00 CET +0100", at("+01:00")],
  ["Sun, 29 Nov 2026 20:00:00 +0100 W. Europe Standard Time", at("+01:00")],
  ["Sun, 29 Nov 2026 20:00:00 pdt", at("-07:00")],
  ["Sun, 29 Nov 2026 20:00:00 XYZ", at("Z")],
  ["Sun, 29 Nov 2026 20:00:00 Europe/Berlin", at("Z")],
  ["Sun, 29 Nov 2026 20:00:00 Z", at("Z")],
  ["Sun, 29 Nov 2026 20:00:00 +05:30", at("+05:30")],
  // asctime, date(1).
  ["Sun Nov 29 20:00:00 2026", at("Z")],
  ["Sun Nov 29 20:00:00 UTC 2026", at("Z")],
  ["Sun Nov 29 20:00:00 PST 2026", at("-08:00")],
  ["Sun Nov 29 20:00:00 2026 +0100", at("+01:00")],
  ["Nov 29 20:00:00 2026", at("Z")],
  ["Sun, 29 Nov 20:00:00 2026", at("Z")],
  ["Sun Nov  1 8:05:09 2026", "2026-11-01T08:05:09Z"],
  // ISO 8601, RFC 3339.
  ["2026-11-29 20:00:00 +0200", at("+02:00")],
  ["2026-11-29T20:00:00Z", at("Z")],
  ["2026-11-29T20:00:00.123+02:00", at("+02:00")],
  ["2026-11-29t20:00:00,5z", at("Z")],
  ["2026-11-29T20:00", at("Z")],
  ["2026-11-29 20:00:00", at("Z")],
  ["2026/11/29 20:00:00", at("Z")],
  ["2026-11-29 20:00:00 UTC", at("Z")],
  ["20261129T200000Z", at("Z")],
  ["20261129T2000+0200", at("+02:00")],
  ["20261129T200000.123Z", at("Z")],
  ["2026-11-29T20:00:00+02:00[Europe/Helsinki]", at("+02:00")],
  ["2026-11-29", "2026-11-29T00:00:00Z"],
  ["2026-11-29Z", "2026-11-29T00:00:00Z"],
  [" 2026-11-29 (Sunday)", "2026-11-29T00:00:00Z"],
  ["20261129", "2026-11-29T00:00:00Z"],
  // RFC 850 and others.
  ["Sunday, 29-Nov-26 20:00:00 GMT", at("Z")],
  ["29-Nov-2026 20:00:00", at("Z")],
  ["Sun Nov 29 2026 20:00:00 GMT+0200 (EET)", at("+02:00")],
  ["Nov 29, 2026 20:00:00 +0200", at("+02:00")],
  ["November 29th, 2026 20:00", at("Z")],
  ["Sunday, November 29, 2026 20:00:00 -0500", at("-05:00")],
  ["sun, 29 NOV 2026 20:00:00 +0000", at("Z")],
  ["Sun, 29 november 2026 20:00:00 +0000", at("Z")],
  ["Sun 29 Nov 2026, 20:00:00 +0000", at("Z")],
  ["Sun,29 Nov 2026 20:00:00 +0000", at("Z")],
  ["Nov 29,2026,20:00:00 +0000", at("Z")],
  ["Sun, 29 Nov 2026 20.00.00 +0000", at("Z")],
  ["Sun, 9 Nov 2026 9:00:00 +0000", "2026-11-09T09:00:00Z"],
  // Names of days and months in the user's language.
  ["So, 29 Nov 2026 20:00:00 +0100", at("+01:00")],
  ["Do, 1 Okt 2026 10:00:00 +0200", "2026-10-01T10:00:00+02:00"],
  ["mar., 1 déc. 2026 10:00:00 +0100", "2026-12-01T10:00:00+01:00"],
  ["1 juil. 2026 10:00:00 +0200", "2026-07-01T10:00:00+02:00"],
  ["Di, 3 März 2026 10:00:00 +0100", "2026-03-03T10:00:00+01:00"],
  // Not dates.
  ["", null],
  ["yesterday", null],
  ["1764446400", null],
  ["29 Nov 2026", null],
  ["2026-11-31", null],
  ["2026-13-01", null],
  ["2026-1129", null],
  ["20269999", null],
  ["11/29/2026 20:00:00", null],
  ["Sun, 29 Nov 2026 25:00:00 +0000", null],
  ["Sun, 29 Nov 2026 20:60:00 +0000", null],
  ["Sun, 31 Nov 2026 20:00:00 +0000", null],
  ["Sun, 29 Foo 2026 20:00:00 +0000", null],
  ["Sun, 29 Nov 2026 20:00:00 +9900", null],
  ["Sun, 29 Nov 2026 20:00:00 +020000", null],
  ["Sun, 29 Nov 2026 08:00:00 PM", null],
  ["2026-13-29T20:00:00Z", null],
  ["2026-02-30T20:00:00Z", null],
])("%j is %j", (raw, expected) => expect(asDate(raw)).toBe(expected));

test("what we write we read, with its offset", () => {
  const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("2099-01-01"), noInvalidDate: true }),
      offset,
      (date, minutes) => {
        const digits = (value: number) => String(value).padStart(2, "0");
        const [sign, size] = [minutes < 0 ? "-" : "+", Math.abs(minutes)];
        const zone = minutes === 0 ? "Z" : `${sign}${digits(Math.floor(size / 60))}:${digits(size % 60)}`;
        const value = `${date.toISOString().slice(0, 19)}${zone}`;
        expect(asDate(encodeDate(value)!)).toBe(value);
        expect(asDate(value)).toBe(value);
      },
    ),
  );
});

test("any text is read in time", () => {
  const started = cpuMs();
  for (const piece of ["1 ", "a", "a ", "1-", "1:", "Nov ", "+", "(", "1 Nov 2026 10:00 "])
    asDate(piece.repeat(1000 / piece.length));
  expect(cpuMs() - started).toBeLessThan(200);
});
