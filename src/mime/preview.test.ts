import iconv from "iconv-lite";
import { describe, expect, test } from "vitest";
import { uuencode } from "../../test/support/uuencode.ts";
import { encodeBase64 } from "./base64.ts";
import { decodeIso2022 } from "./iso2022.ts";
import { preview } from "./preview.ts";
import { encodeQuotedPrintable } from "./transfer.ts";
import { walk } from "./walk.ts";

function of(header: string, body: Buffer | string): string {
  const bytes = Buffer.concat([Buffer.from(`${header}\r\n\r\n`), Buffer.from(body)]);
  return preview(bytes, walk(bytes));
}

/** Ends of the windows that are read. */
const ends = [16_384, 262_144];
const text = "Dear customer, “Grüße” &amp; <b>thanks</b> for your order &#8364;5 😀 中文字 日本語です";
const shown = "Dear customer, “Grüße” & thanks for your order €5 😀 中文字 日本語です";
/** Style until `end` less `back` bytes, then the text, then more style. */
const html = (end: number, back: number) =>
  `<html><head><style>${".x{color:red}\r\n".repeat(30_000).slice(0, end - back - 40)}</style></head><p>${text}</p><style>${"p{}".repeat(10_000)}</style></html>`;

describe("the start of a part is never cut where reading it stops", () => {
  test.each(ends)("HTML whose text is anywhere before octet %d", (end) => {
    for (let back = -30; back < 160; back += 3)
      expect(of("Content-Type: text/html; charset=utf-8", html(end, back))).toBe(shown);
  });

  const inOther = shown.replace(/[“”€😀&]/gu, "");
  const encodings: [string, string, (text: string) => Buffer][] = [
    ["quoted-printable", "utf-8", (all) => encodeQuotedPrintable(Buffer.from(all))],
    ["base64", "utf-8", (all) => encodeBase64(Buffer.from(all))],
    ["x-uuencode", "utf-8", (all) => Buffer.from(uuencode(Buffer.from(all)), "latin1")],
    ["8bit", "gb18030", (all) => iconv.encode(all, "gb18030")],
    ["8bit", "eucJP-ms", (all) => iconv.encode(all, "euc-jp")],
    ["base64", "utf-16", (all) => encodeBase64(iconv.encode(all, "utf-16"))],
    ["7bit", "utf-7", (all) => iconv.encode(all, "utf-7")],
  ];
  test.each(encodings)("%s, %s", (encoding, charset, encode) => {
    const header = `Content-Type: text/html; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}`;
    const before = "<style>.x{}</style>";
    const part = `<p>${inOther.replace("ü", "").replace("ß", "")}</p>`;
    const expected = inOther.replace("ü", "").replace("ß", "").replace(/\s+/g, " ");
    for (let pad = 0; pad < 60; pad += 7) {
      const all = `${before.repeat(Math.ceil(12_000 / before.length))}${"x".replace("x", "<i></i>").repeat(pad)}${part}${before.repeat(3000)}`;
      const encoded = encode(all);
      expect(of(header, encoded)).toBe(expected);
    }
  });

  test("a long text is cut at 256 characters only", () => {
    const words = Array.from({ length: 4000 }, (_, n) => `word${n}`).join(" ");
    const long = `<style>${"p{}".repeat(5400)}</style><p>${words}`;
    expect(of("Content-Type: text/html", long)).toBe(words.slice(0, 256).trimEnd());
  });

  test("an answer below a long quote is found", () => {
    const quote = "> old words\r\n".repeat(5000);
    expect(of("Content-Type: text/plain", `${quote}\r\nI agree.\r\n`)).toBe("I agree.");
    expect(of("Content-Type: text/plain", quote).startsWith("> old words > old words")).toBe(true);
  });

  test.each([0, 1, 2, 5, 9])("plain text in one long line has whole words (%d)", (back) => {
    const body = `${"> q\r\n".repeat(3276).slice(0, 16_384 - 40 - back)}\r\n${"Hello world ".repeat(3)}and good bye\r\n${"> q\r\n".repeat(500)}`;
    expect(of("Content-Type: text/plain", body).endsWith("Hello world Hello world Hello world and good bye")).toBe(
      true,
    );
  });

  test("where two megabytes are read and no more, the last word shown is whole", () => {
    const start = "<style>";
    const end = "</style><p>";
    const words = ["Hello", "brave", "new", "world"];
    const seen = new Set<string>();
    for (let back = 0; back < 50; back++) {
      const style = "q".repeat(2_097_152 - start.length - end.length - back);
      seen.add(of("Content-Type: text/html", `${start}${style}${end}${words.join(" ")} and more</p>`));
    }
    expect([...seen]).toEqual([
      "",
      "Hello",
      "Hello brave",
      "Hello brave new",
      "Hello brave new world",
      "Hello brave new world and",
      "Hello brave new world and more",
    ]);
  });
});

describe("broken tags are not shown", () => {
  test.each([
    ["<p>Hello</p><", "Hello"],
    ["<p>Hello</p><a href=", "Hello"],
    ["<p>Hello</p></", "Hello"],
    ["<p>Hello</p><!-- never closed", "Hello"],
    ["<", ""],
    ["<p>1 < 2</p>", "1 < 2"],
    ["<p>Hello &am", "Hello &am"],
  ])("%j", (body, expected) => expect(of("Content-Type: text/html", body)).toBe(expected));
});

test("the decoder of Japanese is the one used for heads too", () => {
  const line = "\x1b$BF|K\\8l\x1b(B ";
  const found = of("Content-Type: text/plain; charset=iso-2022-jp", line.repeat(3000));
  expect(decodeIso2022(Buffer.from(line.repeat(100)), "iso-2022-jp").startsWith(found)).toBe(true);
  expect(found.length).toBeGreaterThan(250);
});
