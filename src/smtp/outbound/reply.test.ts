import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oddText, tries } from "../../../test/support/fuzz.ts";
import { answerOf, flattenReply, refusalOf } from "./reply.ts";

const code = fc.integer({ min: 200, max: 599 }).map(String);
const enhanced = fc.option(
  fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(999), fc.nat(999)).map((parts) => `${parts.join(".")} `),
  { nil: "" },
);
const printable = [..."abz AZ09<>.:@-/%[]"];
/** The words of a line: they begin with a letter, so that they are no code themselves. */
const words = fc.string({ unit: fc.constantFrom(...printable), maxLength: 60 }).map((text) => `w${text.trimEnd()}`);
const lineEnd = fc.constantFrom("\r\n", "\n");

function written(code: string, enhanced: string, lines: string[], end: string): string {
  return lines.map((line, at) => `${code}${at === lines.length - 1 ? " " : "-"}${enhanced}${line}`).join(end);
}

describe("a reply of several lines becomes one (RFC 8621 §7)", () => {
  test("keeps the codes once, and the words in order", () => {
    fc.assert(
      fc.property(
        code,
        enhanced,
        fc.array(words, { minLength: 1, maxLength: 8 }),
        lineEnd,
        (code, enhanced, lines, end) => {
          const reply = written(code, enhanced, lines, end);
          expect(flattenReply(reply)).toBe(`${code} ${enhanced}${lines.join(" ")}`);
          expect(flattenReply(`${reply}${end}`)).toBe(flattenReply(reply));
        },
      ),
    );
  });

  test("leaves a single line unchanged", () => {
    fc.assert(
      fc.property(code, enhanced, words, (code, enhanced, line) => {
        const flat = flattenReply(`${code} ${enhanced}${line}`);
        expect(flattenReply(flat)).toBe(flat);
      }),
    );
  });

  test("makes one line of bounded length without control characters of any reply", () => {
    const said = fc.oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      oddText,
      fc
        .array(fc.oneof(code, enhanced, oddText, lineEnd, fc.constantFrom("-", " ", "\r", "\0")))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(said, (reply) => {
        const flat = flattenReply(reply);
        expect(flat.length).toBeLessThanOrEqual(2000);
        expect(flat).not.toMatch(/[\r\n\0]/);
      }),
      tries(1000),
    );
  });
});

test("the first digit alone decides the result", () => {
  fc.assert(
    fc.property(code, enhanced, fc.array(words, { minLength: 1, maxLength: 4 }), (code, enhanced, lines) => {
      const { kind, smtpReply, remote } = answerOf(written(code, enhanced, lines, "\r\n"), "mx.there.test");
      expect(smtpReply.startsWith(`${code} `)).toBe(true);
      expect(remote).toBe("mx.there.test");
      expect(kind).toBe({ 2: "relayed", 5: "failed" }[code[0]!] ?? "deferred");
    }),
  );
});

describe("one recipient too many for a transaction (RFC 5321 §4.5.3.1.10)", () => {
  test.each([
    ["552 too many recipients", 100],
    ["552 Too many recipients", 5],
    ["552 5.5.3 Too many recipients", 0],
    ["552 Requested mail action aborted: exceeded storage allocation", 100],
    ["552 5.5.3 no", 10],
    ["452 4.5.3 Too many recipients", 100],
    ["452 Too many recipients received this hour", 20],
    ["452 try again", 1],
    ["452-4.5.3 Your message has too many recipients.\r\n452 4.5.3 See our pages", 100],
    ["550 5.5.3 Recipient limit reached", 50],
    ["451 4.5.3 Error: too many recipients", 50],
  ])("%s after %i others waits for the next", (reply, accepted) => {
    const smtpReply = flattenReply(reply);
    expect(refusalOf(reply, "mx", accepted)).toEqual({ kind: "deferred", smtpReply, remote: "mx", isOverLimit: true });
  });

  test.each([
    ["552 5.2.2 mailbox full", 100, "failed"],
    ["552 mailbox full", 50, "failed"],
    ["552 5.2.3 message too large for this mailbox", 100, "failed"],
    ["552 5.3.4 message too large", 100, "failed"],
    ["552 no", 0, "failed"],
    ["550 5.1.1 no such user", 100, "failed"],
    ["550 5.5.3 no", 0, "failed"],
    ["452 4.2.2 mailbox full", 100, "deferred"],
    ["452 4.3.1 try later", 0, "deferred"],
    ["450 4.2.1 greylisted", 100, "deferred"],
  ] as const)("%s after %i others is %s", (reply, accepted, kind) => {
    expect(refusalOf(reply, "mx", accepted)).toEqual({ kind, smtpReply: reply, remote: "mx" });
  });
});
