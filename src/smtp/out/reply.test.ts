import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oddText, tries } from "../../../test/support/fuzz.ts";
import { answerOf, flattenReply } from "./reply.ts";

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
  test("with its codes once, and its words in order", () => {
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

  test("and stays as it is when it is one already", () => {
    fc.assert(
      fc.property(code, enhanced, words, (code, enhanced, line) => {
        const flat = flattenReply(`${code} ${enhanced}${line}`);
        expect(flattenReply(flat)).toBe(flat);
      }),
    );
  });

  test("whatever a server says, as one line of bounded length without control characters", () => {
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

test("what became of it is told by the first digit alone", () => {
  fc.assert(
    fc.property(code, enhanced, fc.array(words, { minLength: 1, maxLength: 4 }), (code, enhanced, lines) => {
      const { kind, smtpReply, remote } = answerOf(written(code, enhanced, lines, "\r\n"), "mx.there.test");
      expect(smtpReply.startsWith(`${code} `)).toBe(true);
      expect(remote).toBe("mx.there.test");
      expect(kind).toBe({ 2: "relayed", 5: "failed" }[code[0]!] ?? "deferred");
    }),
  );
});
