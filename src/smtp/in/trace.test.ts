import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLooping, isOverlong, isSmuggling, receivedField, senderFields, withoutForgedResults } from "./trace.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("a smuggled end of data", () => {
  test("is any lone dot between line ends that are not both CRLF", () => {
    const piece = fc.constantFrom("\r", "\n", "\r\n", ".", "a", "..");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const naive = [...text.matchAll(/(?<=(\r\n|\n|\r))\.(?=(\r\n|\n|\r))/g)].some(({ index }) => {
          return text.slice(index - 2, index) !== "\r\n" || text.slice(index + 1, index + 3) !== "\r\n";
        });
        expect(isSmuggling(bytes(text))).toBe(naive);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("results that claim to be ours", () => {
  const host = "mx.test";
  test.each([
    "Authentication-Results: mx.test; spf=pass\r\n",
    "AUTHENTICATION-RESULTS:MX.TEST 1;\r\n\tspf=pass\r\n",
    'Authentication-Results: "mx.test"; none\r\n',
    "Authentication-Results: (hi) mx.test; none\r\n",
    "Authentication-Results: (hi (ho) hi) mx.test; none\r\n",
    "Authentication-Results :\r\n mx.test; none\n",
  ])("go: %j", (field) => {
    const rest = "Subject: x\r\n\r\nAuthentication-Results: mx.test; none\r\n";
    expect(withoutForgedResults(bytes(`A: b\r\n${field}${rest}`), host).toString()).toBe(`A: b\r\n${rest}`);
  });

  test("all other bytes stay", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const message = Buffer.from(raw);
        expect(withoutForgedResults(message, host).equals(message)).toBe(true);
      }),
    );
  });
});

test("a loop is seen by its many Received fields", () => {
  const hop = (by: string) => `Received: from a\r\n by ${by} with SMTP;\r\n now\r\n`;
  expect(isLooping(bytes(`${hop("x.test").repeat(50)}\r\n`), "mx.test")).toBe(false);
  expect(isLooping(bytes(`${hop("x.test").repeat(51)}\r\n`), "mx.test")).toBe(true);
  expect(isLooping(bytes(`${hop("mx.test").repeat(11)}\r\n`), "mx.test")).toBe(true);
  expect(isLooping(bytes(`${hop("mx.testing").repeat(11)}\r\n`), "mx.test")).toBe(false);
  expect(isLooping(bytes(`\r\n${hop("mx.test").repeat(60)}`), "mx.test")).toBe(false);
});

test("a header that is slow to judge is seen", () => {
  const body = `\r\n\r\n${"x\r\n".repeat(100_000)}`;
  expect(isOverlong(bytes(`A: b${"\r\n c@d.test,".repeat(4_000)}${body}`))).toBe(false);
  expect(isOverlong(bytes(`A: b${"\r\n c".repeat(4_001)}${body}`))).toBe(true);
  expect(isOverlong(bytes(`A: b${" ".repeat(999)}c${body}`))).toBe(false);
  expect(isOverlong(bytes(`A: b${" ".repeat(1_000)}c${body}`))).toBe(true);
  expect(isOverlong(bytes(`no field\nA: b\r\n${"X: y\r\n".repeat(50_000)}\r\n`))).toBe(true);
  expect(isOverlong(bytes(`A: b\n\n${"x ".repeat(200_000)}`))).toBe(false);
  expect(isOverlong(bytes(""))).toBe(false);
  const long = bytes(`X: ${"x".repeat(1_000_000)}\r\nFrom: a@b.test\r\nTo: c@d.test\r\n\r\nbody`);
  expect(senderFields(long).toString()).toBe("From: a@b.test\r\n\r\n");
});

test("a From that is slow to judge is cut down to its addresses", () => {
  const from = (value: string) => senderFields(bytes(`From: ${value}\r\nTo: c@d.test\r\n\r\nbody`)).toString();
  expect(from(`${"(x) ".repeat(100_000)}Ann <ann@bank.test>`)).toBe("From: <ann@bank.test>\r\n\r\n");
  expect(from(`${" ".repeat(2_000)}a@b.test, Eve <e@f.test>`)).toBe("From: <a@b.test>, <e@f.test>\r\n\r\n");
  expect(from(`${"(".repeat(300_000)}${'"\\'.repeat(100_000)}`)).toBe("\r\n");
  expect(from("a@b.test, ".repeat(50_000)).match(/@/g)).toHaveLength(50);
});

test("a comment that never ends is read once", () => {
  const field = `Authentication-Results: mx.test; ${"(".repeat(1_000_000)}\r\n`;
  const began = performance.now();
  expect(withoutForgedResults(bytes(`A: b\r\n${field}\r\n`), "mx.test").toString()).toBe("A: b\r\n\r\n");
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("the trace field holds no more of a peer's name than a name", () => {
  const hop = { address: "2001:db8::1", protocol: "ESMTPS", hostname: "mx.test", id: "q1", at: new Date(0) };
  expect(receivedField({ ...hop, helo: "evil\r\nX: y", cipher: "TLSv1.3 X" })).toBe(
    "Received: from unknown ([IPv6:2001:db8::1])\r\n (TLSv1.3 X)\r\n by mx.test with ESMTPS id q1;\r\n Thu, 01 Jan 1970 00:00:00 +0000\r\n",
  );
});
