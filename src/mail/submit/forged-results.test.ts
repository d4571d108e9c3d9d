import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cpuMs } from "../../../test/support/cpu.ts";
import { tries } from "../../../test/support/fuzz.ts";
import { parseHeader } from "../../mime/headers.ts";
import { withoutForgedResults } from "./forged-results.ts";

const host = "mx.test";
const bytes = (text: string) => Buffer.from(text, "utf8");
const without = (text: string) => withoutForgedResults(bytes(text), host).toString();

describe("results that claim to be ours", () => {
  test.each([
    "Authentication-Results: mx.test; spf=pass\r\n",
    "AUTHENTICATION-RESULTS:MX.TEST 1;\r\n\tspf=pass\r\n",
    'Authentication-Results: "mx.test"; none\r\n',
    "Authentication-Results: (hi) mx.test; none\r\n",
    "Authentication-Results: (hi (ho) hi) mx.test; none\r\n",
    "Authentication-Results :\r\n mx.test; none\n",
    'Authentication-Results: "mx\\.test"; none\r\n',
    "Authentication-Results: (\\)) mx.test; none\r\n",
    "Authentication-Results: (\\() mx.test; none\r\n",
    "Authentication-Results: (a=b; \\( c) mx.test; none\r\n",
    'Authentication-Results: (;) "m\\x".test; none\r\n',
    "Authentication-Results: mx.test\0; none\r\n",
    "Authentication-Results: m\0x.test; none\r\n",
    "Auth\0entication-Results\0: mx.test; none\r\n",
    "\ufeffAuthentication-Results: mx.test; none\r\n",
    "Authentication-Results: mx.test.; none\r\n",
    "Authentication-Results: mx.\r\n test; none\r\n",
    "Authentication-Results: mx (a) . (b) test; none\r\n",
    "Authentication-Results: =?utf-8?q?mx=2Etest?= ; none\r\n",
    "Authentication-Results: =?utf-8?b?bXgudGVzdA==?= ; dkim=pass\r\n",
    "Authentication-Results: ｍx.test; none\r\n",
    "Authentication-Results: m\u200bx.test; none\r\n",
    "Authentication-Results: ( mx.test; none\r\n",
    "Authentication-Results: (; mx.test; none\r\n",
    "Authentication-Results: mx.test\r\n",
  ])("a field that claims to be ours is removed: %j", (field) => {
    const rest = "Subject: x\r\n\r\nAuthentication-Results: mx.test; none\r\n";
    expect(without(`A: b\r\n${field}${rest}`)).toBe(`A: b\r\n${rest}`);
    // Wherever they stand, as long as a reader sees them.
    for (const before of [
      "From x\r\n",
      ": y\r\n",
      "junk\r\n",
      `${"x".repeat(200)}: y\r\n`,
      "X-\u00e4: y\r\n",
      "\0\r\n",
    ]) {
      expect(without(before + field + rest)).toBe(before + rest);
    }
  });

  test.each([
    "Authentication-Results: other.test; spf=pass smtp.helo=mx.test\r\n",
    "Authentication-Results: other.test (mx) 1; dkim=pass\r\n",
    "ARC-Authentication-Results: i=1; mx.test; dkim=pass\r\n",
    "X-Authentication-Results: mx.test; dkim=pass\r\n",
  ])("any other field is kept: %j", (field) => {
    expect(without(`A: b\r\n${field}\r\n`)).toBe(`A: b\r\n${field}\r\n`);
  });

  test("removing them leaves all other bytes unchanged", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const message = Buffer.from(raw);
        expect(withoutForgedResults(message, host).equals(message)).toBe(true);
      }),
      tries(100),
    );
  });

  test("no way of reading the rest finds them", () => {
    const pieces = ["\r\n", "\r\n ", "\n", "\0", "(", ")", '"', "\\", ";", "=", ".", " ", "x", ": y\r\n", "\ufeff"];
    const own = [
      "Authentication-Results:",
      "mx.test",
      "mx",
      "test",
      "MX.test",
      "Subject: a",
      "\r\nAuthentication-Results:",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...own), { maxLength: 20 }), (parts) => {
        const stored = `Received: x\r\n${without(`Authentication-Results: ${parts.join("")}`)}`;
        const results = parseHeader(bytes(stored)).filter(({ name }) => /^authentication-results$/i.test(name));
        const ids = results.map(({ value }) => value.replace(/\([^()]*\)/g, "").replace(/["\\\s]/g, ""));
        expect(ids.filter((id) => /^mx\.test\.?(;|$)/i.test(id))).toEqual([]);
      }),
      tries(1_000),
    );
  });

  test.each(["mx\u3002test; dmarc=pass", "=?utf-8?b?bXgudGVzdA==?=; dmarc=pass", '"=" (;) mx.test; x=y'])(
    "removes %s",
    (value) => {
      expect(without(`Authentication-Results: ${value}\r\n\r\n`)).toBe("\r\n");
    },
  );

  test("of very many fields that need a closer look, only the first are examined and the rest are removed", () => {
    const began = cpuMs();
    const left = without(`${"Authentication-Results:x\r\n".repeat(500_000)}\r\n`);
    expect(left.match(/x/g)?.length).toBe(50);
    expect(cpuMs() - began).toBeLessThan(4_000);
  });

  test("very many combining marks are folded in time", () => {
    const field = `Authentication-Results: a${"\u0301\u0323".repeat(9_000)} mx.test; x\r\n`;
    const began = cpuMs();
    expect(without(`${field.repeat(50)}\r\n`)).toBe("\r\n");
    expect(cpuMs() - began).toBeLessThan(4_000);
  });

  test("a comment that never ends is read once", () => {
    const field = `Authentication-Results: mx.test; ${"(".repeat(1_000_000)}\r\n`;
    const began = cpuMs();
    expect(without(`A: b\r\n${field}\r\n`)).toBe("A: b\r\n\r\n");
    expect(cpuMs() - began).toBeLessThan(2_000);
  });
});
