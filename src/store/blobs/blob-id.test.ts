import fc from "fast-check";
import { expect, test } from "vitest";
import { type BlobStep, decodeBlobId, encodeBlobId } from "./blob-id.ts";

const step = fc
  .tuple(
    fc.nat(2 ** 40),
    fc.nat(2 ** 30),
    fc.constantFrom<BlobStep["encoding"]>("identity", "base64", "quoted-printable", "uuencode"),
  )
  .map(([start, length, encoding]): BlobStep => ({ start, end: start + length, encoding }));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

test("a blob id decodes to what was encoded, and has only safe characters", () => {
  fc.assert(
    fc.property(hash, fc.array(step, { maxLength: 4 }), (sha256, steps) => {
      const id = encodeBlobId(sha256, steps);
      expect(id).toMatch(/^b[a-z0-9_-]{1,254}$/);
      expect(decodeBlobId(id)).toEqual({ sha256, steps });
    }),
  );
});

test("any other text is refused as a blob id", () => {
  const id = encodeBlobId(Buffer.alloc(32, 255));
  const others = ["", "b", "m11", id.slice(1), id.toUpperCase(), `${id}-`, `${id}-i5_2`, `${id}-x0_1`, `${id}-i00_1`];
  others.push(`${id.slice(0, -1)}z`, `${id}-i0_1_2`, `${id}${"-i0_1".repeat(5)}`, `${id.slice(0, 20)}l${id.slice(21)}`);
  for (const text of others) expect(decodeBlobId(text)).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (text) => {
      const decoded = decodeBlobId(text);
      if (decoded) expect(encodeBlobId(decoded.sha256, decoded.steps)).toBe(text);
    }),
  );
});

test("more than four steps are refused", () => {
  const one: BlobStep = { start: 0, end: 1, encoding: "identity" };
  expect(() => encodeBlobId(Buffer.alloc(32), [one, one, one, one, one])).toThrow(RangeError);
});
