import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSmuggling, receivedField } from "./trace.ts";

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

test("the trace field holds no more of a peer's name than a name", () => {
  const hop = { address: "2001:db8::1", protocol: "ESMTPS", hostname: "mx.test", id: "q1", at: new Date(0) };
  expect(receivedField({ ...hop, helo: "evil\r\nX: y", cipher: "TLSv1.3 X" })).toBe(
    "Received: from unknown ([IPv6:2001:db8::1])\r\n (TLSv1.3 X)\r\n by mx.test with ESMTPS id q1;\r\n Thu, 01 Jan 1970 00:00:00 +0000\r\n",
  );
});
