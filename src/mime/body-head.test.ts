import fc from "fast-check";
import iconv from "iconv-lite";
import { expect, test } from "vitest";
import { encodeBase64 } from "./base64.ts";
import { bodyHead, bodyValue, bodyValueOfHead } from "./decode.ts";
import { encodeQuotedPrintable } from "./transfer.ts";

const charsets = [
  ...[null, "us-ascii", "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "windows-1251", "koi8-r", "gb2312"],
  ...["gbk", "gb18030", "big5", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "iso-2022-jp-2"],
  ...["utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-7", "utf-7-imap", "cesu-8", "x-klingon", "base64"],
  ...["iso-2022-kr", "hz-gb-2312", "x-user-defined", "macintosh"],
];
const words = fc.constantFrom(
  ...[
    "Hello ",
    "Grüße ",
    "日本語",
    "中文字",
    "한국어",
    "Привет ",
    "😀",
    "\r\n",
    "\r",
    "\n",
    "\t \r\n",
    "\0",
    "=",
    "\ufffd",
  ],
  ...[
    "<b>",
    "<a title='>'",
    "<a href=x",
    ">",
    "<!--",
    "-->",
    "<",
    "\x1b$B",
    "\x1b(B",
    "\x1b",
    "\x0e",
    "+AGE-",
    "~{",
    "&-",
  ],
);
const meta = fc.constantFrom("", '<meta charset="shift_jis">', "<meta charset=utf-8>", "\ufeff");
const texts = fc.tuple(meta, fc.array(words, { minLength: 1, maxLength: 30 }), fc.array(words, { maxLength: 4 }));
const stray = fc.uint8Array({ maxLength: 8 });

/** The same text over and over, since a head is over a thousand bytes, then something else. */
function encoded(
  charset: string | null,
  [first, pieces, last]: [string, string[], string[]],
  bytes: Uint8Array,
): Buffer {
  const body = pieces.join("");
  const text = first + body.repeat(Math.ceil(2500 / body.length)) + last.join("");
  const known = charset !== null && charset !== "base64" && iconv.encodingExists(charset);
  const all = iconv.encode(text, known ? charset : "utf-8");
  return bytes.length % 2 === 0 ? Buffer.concat([all, bytes]) : Buffer.concat([bytes, all]);
}

const raws = {
  "8bit": (bytes: Buffer) => bytes,
  unknown: (bytes: Buffer) => bytes,
  base64: encodeBase64,
  "quoted-printable": encodeQuotedPrintable,
};

test("from a head of the part, the value is that of the whole, or the head says that it can't tell", () => {
  let told = 0;
  const types = fc.constantFrom("text/plain", "text/html");
  const encodings = fc.constantFrom(...(Object.keys(raws) as (keyof typeof raws)[]));
  fc.assert(
    fc.property(
      ...[fc.constantFrom(...charsets), texts, stray, types, encodings],
      ...[fc.double({ min: 0.3, max: 1, noNaN: true }), fc.nat({ max: 4000 })],
      (charset, text, bytes, type, encoding, share, limit) => {
        const raw = raws[encoding](encoded(charset, text, bytes));
        const part = { type, charset, encoding };
        const found = bodyValueOfHead(raw.subarray(0, raw.length * share), part, limit + 1);
        if (!found) return;
        told++;
        const { isEncodingProblem, ...whole } = bodyValue(raw, part, limit + 1);
        expect({ value: found.value, isTruncated: found.isTruncated }).toEqual(whole);
        // What comes after may have a problem, but the cut makes none.
        if (found.isEncodingProblem) expect(isEncodingProblem).toBe(true);
      },
    ),
    { numRuns: 5000 },
  );
  expect(told).toBeGreaterThan(1000);
});

test.each(["8bit", "base64", "quoted-printable"] as const)("a usual head tells: %s", (encoding) => {
  const lines = "Grüße, <b>Ada</b>, und ein <a href='x'>Verweis</a>.\r\n".repeat(6_000);
  for (const charset of ["utf-8", "iso-8859-1", "utf-16", "gb18030"]) {
    for (const type of ["text/plain", "text/html"]) {
      const raw = raws[encoding](iconv.encode(lines, charset));
      for (const limit of [1, 1000, 50_000]) {
        const part = { type, charset, encoding };
        const head = bodyValueOfHead(raw.subarray(0, bodyHead(limit)), part, limit);
        expect(head).toEqual(bodyValue(raw, part, limit));
      }
    }
  }
});
