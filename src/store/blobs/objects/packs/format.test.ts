import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Of } from "../../blob-id.ts";
import { bodyOf, directoryOf, encodePack, maxDirectoryBytes, memberHeadBytes, membersOf, newMember } from "./format.ts";

const bodies = fc.uniqueArray(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  { minLength: 1, maxLength: 20, selector: (bytes) => bytes.toString("hex") },
);
const packOf = (some: Buffer[]) => encodePack(some.map((body) => newMember(sha256Of(body), body)));

test("a pack gives back each of its bodies, also after some were left out", () => {
  fc.assert(
    fc.property(bodies, fc.infiniteStream(fc.boolean()), (some, coins) => {
      const { bytes, entries } = packOf(some);
      expect(directoryOf(bytes.subarray(0, maxDirectoryBytes))).toEqual(entries);
      const left = some.filter(() => coins.next().value);
      const kept = entries.filter(({ sha256 }) => left.some((body) => sha256Of(body).equals(sha256)));
      const again = encodePack(membersOf(bytes, kept)!);
      for (const pack of [
        { bytes, entries, some },
        { ...again, some: left },
      ]) {
        const read = pack.entries.map(({ sha256, at, size }) =>
          bodyOf(pack.bytes.subarray(at, at + memberHeadBytes + size), sha256),
        );
        expect(read).toEqual(pack.some);
      }
    }),
  );
});

test("a bit that is another is noticed in the directory, and in a body", () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.nat(7), (some, place, bit) => {
      const { bytes, entries } = packOf(some);
      const at = place % bytes.length;
      bytes[at]! ^= 1 << bit;
      if (at < entries[0]!.at) {
        expect(directoryOf(bytes)).toBeUndefined();
        return;
      }
      const hit = entries.findLast((entry) => entry.at <= at)!;
      const inRoom = at >= hit.at + 36 && at < hit.at + memberHeadBytes;
      const read = bodyOf(bytes.subarray(hit.at, hit.at + memberHeadBytes + hit.size), hit.sha256);
      expect(read === undefined).toBe(!inRoom);
      expect(membersOf(bytes, entries) === undefined).toBe(!inRoom);
    }),
  );
});

test("no other bytes pass for a body", () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.nat(), (some, from, length) => {
      const { bytes, entries } = packOf(some);
      const start = from % bytes.length;
      const [wanted] = entries;
      const read = bodyOf(bytes.subarray(start, start + (length % bytes.length)), wanted!.sha256);
      expect(read === undefined || read.equals(some[0]!)).toBe(true);
    }),
  );
});
