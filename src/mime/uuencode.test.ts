import { describe, expect, test } from "vitest";
import { uuencode } from "../../test/support/uuencode.ts";
import { encodeBase64 } from "./base64.ts";
import { decodedSize, partBytes } from "./decode.ts";
import { leaves } from "./structure.ts";
import { decodeUu, uuSize } from "./uuencode.ts";
import { walk } from "./walk.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

const all = Buffer.from(Array.from({ length: 1000 }, (_, n) => (n * 7) % 256));

describe("uuencode", () => {
  test.each(["`", " "])("what is encoded with %j for zero comes back, at any length", (blank) => {
    for (let length = 0; length < 200; length++) {
      const bytes = all.subarray(0, length);
      expect(decodeUu(latin1(uuencode(bytes, blank))).equals(bytes)).toBe(true);
    }
    expect(decodeUu(latin1(uuencode(all, blank))).equals(all)).toBe(true);
  });

  test.each([
    ["a line before it", `This is it:\n${uuencode(all)}`],
    ["text after it", `${uuencode(all)}\n-- \nlist footer\n`],
    ["another file after it", `${uuencode(all)}${uuencode(all)}`],
    ["LF alone", uuencode(all).replaceAll("\r\n", "\n")],
    ["no end", uuencode(all).replace("end\r\n", "")],
    ["a checksum at the lines' ends", uuencode(all).replace(/^(M.*)\r$/gm, "$1-\r")],
    ["blank lines", uuencode(all).replaceAll("\r\n", "\r\n\r\n")],
    ["base64 in it", `see:\nbegin-base64 644 a file.bin\n${encodeBase64(all)}\n====\nlist footer\n`],
    ["base64 in it, and no end", `begin-base64 644 x\n${encodeBase64(all)}`],
  ])("with %s", (_, text) => {
    expect(decodeUu(latin1(text)).equals(all)).toBe(true);
    expect(uuSize(latin1(text))).toBe(all.length);
  });

  test("base64 in it ends where it should, padding or none", () => {
    for (let length = 0; length < 100; length++) {
      const bytes = all.subarray(0, length);
      const text = latin1(`begin-base64 644 x\r\n${encodeBase64(bytes)}\r\n====\r\nlist footer\r\n`);
      expect(decodeUu(text).equals(bytes)).toBe(true);
      expect(uuSize(text)).toBe(length);
    }
  });

  test("blanks lost at a line's end are zeros", () => {
    expect([...decodeUu(latin1("begin 644 x\n#86(\n`\nend\n"))]).toEqual([97, 98, 0]);
  });

  test.each(["", "Hello\n", "begin the day\n", "begin 644\n", `${"x\n".repeat(3000)}begin 644 x\n#86(\nend\n`])(
    "bytes without a file stay unchanged",
    (text) => {
      expect(decodeUu(latin1(text)).toString("latin1")).toBe(text);
    },
  );

  test("a few lines do not decode to megabytes", () => {
    expect(decodeUu(latin1(`begin 644 x\n${"_\n".repeat(10_000)}`)).length).toBeLessThan(40_000);
  });

  test("an attachment's size and bytes are those of the file", () => {
    const message = latin1(
      [
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee\r\n--b",
        'Content-Type: application/octet-stream; name="a.txt"',
        "Content-Transfer-Encoding: x-uuencode\r\n",
        "begin 644 a.txt\r\n1:&5L;&\\@871T86-H;65N= H \r\n`\r\nend\r\n--b--",
      ].join("\r\n"),
    );
    const part = leaves(walk(message))[1]!;
    expect(partBytes(message, part).toString()).toBe("hello attachment\n");
    expect(part.size).toBe(17);
    expect(decodedSize(message.subarray(part.body.start, part.body.end), part.encoding)).toBe(17);
  });
});
