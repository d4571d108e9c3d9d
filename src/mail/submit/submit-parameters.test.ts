import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oddKey, oddText, tries } from "../../../test/support/fuzz.ts";
import { SubmissionRefused } from "./submission-refused.ts";
import { checkParameters, holdUntil, maxDelayedSend, parameterOf } from "./submit-parameters.ts";

const now = new Date("2026-02-03T04:05:06.789Z");
const command = fc.constantFrom<"mail" | "rcpt">("mail", "rcpt");
const second = 1000;

/** Undefined when the work succeeds. Rethrows anything but a SubmissionRefused. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof SubmissionRefused)) throw error;
    expect(error.reason).toBe("invalidEnvelope");
    return error.message;
  }
}

const anyCase = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((char, at) => (upper[at] ? char.toUpperCase() : char.toLowerCase())).join(""));
const given = (name: string, value: fc.Arbitrary<string | null>) => fc.tuple(anyCase(name), value);
const some = (...all: fc.Arbitrary<[string, string | null]>[]) =>
  fc.tuple(...all.map((one) => fc.option(one))).map((list) => Object.fromEntries(list.filter((one) => one !== null)));

const good = {
  mail: some(
    given("RET", fc.constantFrom("FULL", "HDRS", "hdrs")),
    given("ENVID", fc.stringMatching(/^[!-~]{1,100}$/)),
    given("BODY", fc.constantFrom("7BIT", "8bitMime")),
    given("SMTPUTF8", fc.constant(null)),
    given("SIZE", fc.nat().map(String)),
    given("HOLDFOR", fc.nat(maxDelayedSend).map(String)),
  ),
  rcpt: some(
    given("NOTIFY", fc.constantFrom("NEVER", "SUCCESS", "failure,DELAY", "SUCCESS,FAILURE,DELAY")),
    given("ORCPT", fc.constantFrom("rfc822;a@b.test", "utf-8;ä@b.test", "x-other;a+2Bb")),
  ),
};

describe("checkParameters", () => {
  test.each(["mail", "rcpt"] as const)("takes what the RFCs define for %s, whatever the case of its name", (which) => {
    fc.assert(
      fc.property(good[which], (parameters) => {
        expect(refusal(() => checkParameters(which, parameters))).toBeUndefined();
        for (const [name, value] of Object.entries(parameters)) {
          expect(parameterOf(parameters, name.toUpperCase())).toBe(value ?? undefined);
        }
      }),
    );
  });

  test("refuses whatever a command or the database could not hold", () => {
    const names = fc.oneof(
      fc.constantFrom("HOLDFOR", "HOLDUNTIL", "RET", "ENVID", "BODY", "SMTPUTF8", "SIZE", "NOTIFY", "ORCPT", "orcpt"),
      oddKey,
    );
    const values = fc.oneof(
      fc.constant(null),
      oddText,
      fc.string({ unit: "binary", maxLength: 10 }),
      fc.tuple(fc.constantFrom("rfc822;a", "FULL", "NEVER", "7BIT", "1"), oddText).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(command, fc.dictionary(names, values, { maxKeys: 3 }), (which, parameters) => {
        if (refusal(() => checkParameters(which, parameters)) !== undefined) return;
        for (const [name, value] of Object.entries(parameters)) {
          expect(name).toMatch(/^[A-Za-z0-9]+$/);
          expect(value ?? "").not.toMatch(/[\s\p{Cc}]/u);
        }
      }),
      tries(2000),
    );
  });

  test("refuses a parameter that comes twice, as no reader could tell which one counts", () => {
    expect(refusal(() => checkParameters("rcpt", { NOTIFY: "NEVER", notify: "SUCCESS" }))).toMatch(/twice/);
  });
});

describe("holdUntil", () => {
  test("adds HOLDFOR, up to the limit", () => {
    fc.assert(
      fc.property(fc.nat(2 * maxDelayedSend), anyCase("HOLDFOR"), (seconds, name) => {
        const work = () => holdUntil({ [name]: String(seconds) }, now);
        if (seconds > maxDelayedSend) expect(refusal(work)).toBeDefined();
        else expect(work().getTime()).toBe(now.getTime() + seconds * second);
      }),
    );
  });

  test("reads HOLDUNTIL in any time zone, and treats a past time as now", () => {
    const zone = fc.integer({ min: -23 * 60, max: 23 * 60 });
    const ahead = fc.integer({ min: -2 * maxDelayedSend, max: 2 * maxDelayedSend });
    fc.assert(
      fc.property(ahead, zone, (seconds, minutes) => {
        const at = Math.floor(now.getTime() / second) * second + seconds * second;
        const local = new Date(at + minutes * 60 * second).toISOString().slice(0, 19);
        const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const offset = `${minutes < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
        const parameters = { HOLDUNTIL: `${local}${offset}` };
        expect(refusal(() => checkParameters("mail", parameters))).toBeUndefined();
        const work = () => holdUntil(parameters, now);
        if (at > now.getTime() + maxDelayedSend * second) expect(refusal(work)).toBeDefined();
        else expect(work().getTime()).toBe(Math.max(at, now.getTime()));
      }),
    );
  });

  test("gives a time that is not past for any accepted parameters, or refuses them", () => {
    const part = (length: number) => fc.nat(10 ** length - 1).map((value) => String(value).padStart(length, "0"));
    const date = fc
      .tuple(part(4), part(2), part(2), part(2), part(2), part(2), fc.constantFrom("Z", "+99:99", "-00:00", "+14:30"))
      .map(([year, month, day, hour, minute, s, zone]) => `${year}-${month}-${day}T${hour}:${minute}:${s}${zone}`);
    const parameters = fc.oneof(
      fc.record({ HOLDUNTIL: date }),
      fc.record({ HOLDFOR: fc.nat(999_999_999).map(String) }),
      fc.record({ HOLDUNTIL: date, holdfor: fc.constant("1") }),
    );
    fc.assert(
      fc.property(parameters, (parameters) => {
        if (refusal(() => checkParameters("mail", parameters)) !== undefined) return;
        let at = now;
        if (refusal(() => (at = holdUntil(parameters, now))) !== undefined) return;
        expect(at.getTime()).toBeGreaterThanOrEqual(now.getTime());
        expect(at.getTime()).toBeLessThanOrEqual(now.getTime() + maxDelayedSend * second);
      }),
      tries(1000),
    );
    expect(refusal(() => holdUntil({ HOLDFOR: "1", holduntil: "2026-02-03T05:00:00Z" }, now))).toBeDefined();
  });
});
