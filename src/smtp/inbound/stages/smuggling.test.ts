import fc from "fast-check";
import { expect, test } from "vitest";
import { smuggling } from "./smuggling.ts";
import { factsOf, peer } from "./testing.ts";

test("a smuggled end of data is any lone dot between line ends that are not both CRLF", () => {
  const piece = fc.constantFrom("\r", "\n", "\r\n", ".", "a", "..");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      const naive = [...text.matchAll(/(?<=(\r\n|\n|\r))\.(?=(\r\n|\n|\r))/g)].some(({ index }) => {
        return text.slice(index - 2, index) !== "\r\n" || text.slice(index + 1, index + 3) !== "\r\n";
      });
      expect(smuggling(peer(), factsOf.data({ message: Buffer.from(text, "latin1") }))).toMatchObject(
        naive ? { kind: "refuse", code: 554, status: "5.6.0" } : { kind: "pass" },
      );
    }),
    { numRuns: 3000 },
  );
});
