import { expect, test } from "vitest";
import { chainOf, chainTo } from "./chain.ts";
import type { Manifest } from "./manifest.ts";

const database = { system: "1", timeline: "00000001", pieces: 0, label: "", segments: [] };
const none = { objects: 0, bytes: 0 };
const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour));

/** Backups in a row: each at its hour, "F" full and "L" log, after "|" the log has a gap. */
function row(text: string): Manifest[] {
  const made: Manifest[] = [];
  let isGap = true;
  for (const [hour, letter] of [...text].entries()) {
    if (letter === "|") isGap = true;
    else {
      const id = `${letter}${hour}`;
      const follows = isGap ? null : (made.at(-1)?.id ?? null);
      const kind = letter === "F" ? "full" : "log";
      made.push({ id, kind, until: at(hour).toISOString(), version: "1", follows, database, days: [], added: none });
      isGap = false;
    }
  }
  return made;
}

function found(text: string, to?: Date): string {
  const { logs, to: cut } = chainTo(row(text), to);
  return `${logs.map(({ id }) => id).join(" ")}${cut ? " cut" : ""}`;
}

const half = (hour: number) => new Date(at(hour).getTime() - 1800_000);

test("a moment is reached from the full backup before it, by the log of those after it", () => {
  expect(found("FLL")).toBe("F0 L1 L2");
  expect(found("FLL", half(2))).toBe("F0 L1 L2 cut");
  expect(found("FLL", at(1))).toBe("F0 L1");
  expect(found("FLFL")).toBe("F2 L3");
  expect(found("FLFL", half(3))).toBe("F2 L3 cut");
  // A full backup leads to no moment before it, but its log does from the one before.
  expect(found("FLFL", half(2))).toBe("F0 L1 F2 cut");
  expect(found("FLFL", at(2))).toBe("F2");
  // After a gap, such as a restore.
  expect(found("FL|FL", half(1))).toBe("F0 L1 cut");
  expect(found("FL|FL", half(4))).toBe("F3 L4 cut");
});

test("a moment that no backup leads to is refused, and the nearest are named", () => {
  expect(() => found("FL", at(2))).toThrow("the newest is of 2026-01-01T01:00:00.000Z");
  expect(() => found("FL|FL", half(3))).toThrow("the nearest moments are 2026-01-01T01:00:00.000Z and 2026-01-01T03");
  expect(() => found("F", half(0))).toThrow("the nearest moments are 2026-01-01T00");
  expect(() => found("L")).toThrow("no full one");
  expect(() => found("")).toThrow("there is no backup of the database here");
});

test("a backup is verified with those whose log it goes on with", () => {
  expect(chainOf(row("FLFL"), "L1").map(({ id }) => id)).toEqual(["F0", "L1"]);
  expect(chainOf(row("FLFL"), "F2").map(({ id }) => id)).toEqual(["F2"]);
});
