import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeBase64 } from "./base64.ts";
import { decodeTransfer, encodeQuotedPrintable } from "./transfer.ts";
import { transferDecoder } from "./transfer-stream.ts";

const pieces = fc
  .array(
    fc.constantFrom("=", "=4", "=4a", "=\r\n", " ", "\t", " \r\n", "\r", "\n", "=\t ", "Zm9v", "Y", "-", "\xfc", "é"),
  )
  .map((all) => Buffer.from(all.join(""), "latin1"));
const bytes = fc.uint8Array({ maxLength: 300 });
const uuLines = fc
  .array(
    fc.constantFrom("begin 644 x\n", "end\n", "end", "#0V%T\n", "#0V%T\r\n", "M", "`\n", "\n", " \n", "_\n", "hello\n"),
    { maxLength: 30 },
  )
  .map((all) => Buffer.from(all.join(""), "latin1"));
const uuFile = uuLines.map((lines) => Buffer.concat([Buffer.from("begin 644 x\n"), lines]));
const base64File = pieces.map((lines) => Buffer.concat([Buffer.from("begin-base64 644 x\n"), lines]));
const late = fc.oneof(uuFile, base64File).map((file) => Buffer.concat([Buffer.alloc(4080, "a\n"), file]));
const input = fc.oneof(
  uuLines,
  uuFile,
  base64File,
  late,
  bytes,
  pieces,
  bytes.map(encodeBase64),
  bytes.map(encodeQuotedPrintable),
);
const cuts = fc.array(fc.nat({ max: 12 }), { maxLength: 40 });

test("decoding in pieces of any size gives the bytes of the whole, and returned bytes do not change", () => {
  fc.assert(
    fc.property(input, cuts, (all, sizes) => {
      for (const encoding of ["base64", "quoted-printable", "uuencode", "binary"] as const) {
        const decoder = transferDecoder(encoding);
        const given: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          // The piece is used again, as a reader's buffer is.
          const piece = Uint8Array.from(all.subarray(at, at + size));
          given.push(Buffer.from(decoder.push(piece)));
          if (encoding !== "binary") piece.fill(0x41);
          at += size;
        }
        given.push(Buffer.from(decoder.push(all.subarray(at))), decoder.end());
        expect(Buffer.concat(given).toString("hex")).toBe(decodeTransfer(all, encoding).toString("hex"));
      }
    }),
    { numRuns: 5000 },
  );
});

test("a run of blanks as long as the message costs no more than its length", () => {
  const blanks = Buffer.alloc(65_536, " ");
  for (const end of ["x", "\r\n"]) {
    const decoder = transferDecoder("quoted-printable");
    const start = process.cpuUsage();
    let size = 0;
    for (let piece = 0; piece < 400; piece++) size += decoder.push(blanks).length;
    size += decoder.push(Buffer.from(end)).length + decoder.end().length;
    expect(size).toBe(end === "x" ? 400 * 65_536 + 1 : 2);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(2);
  }
});
