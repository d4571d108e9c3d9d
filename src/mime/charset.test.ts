import fc from "fast-check";
import iconv from "iconv-lite";
import { describe, expect, test } from "vitest";
import { cpuMs } from "../../test/support/cpu.ts";
import { decodeCharset, decodeCharsetHead, isKnownCharset } from "./charset.ts";

const bytesOf = (text: string) => Buffer.from(text, "latin1");
const decode = (bytes: Buffer, label: string) => decodeCharset(bytes, label);

/** A text, its bytes in a charset, and the labels that mail uses for the charset. */
const samples: [string, Buffer, string][] = [
  [
    "日本語①髙ﾃｽﾄ",
    bytesOf("\xc6\xfc\xcb\xdc\xb8\xec\xad\xa1\xfc\xe2\x8e\xc3\x8e\xbd\x8e\xc4"),
    "euc-jp EUC-JP x-euc-jp eucJP eucJP-ms eucJP-win eucJPms eucJP-open cp51932 x-eucjp euc_jp eucjp-ascii ujis csEUCPkdFmtJapanese",
  ],
  [
    "日本語①髙",
    iconv.encode("日本語①髙", "cp932"),
    "shift_jis Shift-JIS sjis x-sjis ms_kanji cp932 ms932 windows-31j csWindows31J x-ms-cp932 sjis-win windows-932 Shift_JISX0213 x-mac-japanese",
  ],
  [
    "한글 똠방각하",
    iconv.encode("한글 똠방각하", "cp949"),
    "euc-kr euckr x-euc-kr ks_c_5601-1987 ks_c_5601-1989 KSC5601 ksc_5601 korean cp949 ms949 windows-949 x-windows-949 uhc UHC csKSC56011987 ks_c_5601-1992 KSC5601-1992 ks_x_1001 KS_X_1001:1992 x-mac-korean",
  ],
  [
    "中文—网",
    iconv.encode("中文—网", "gbk"),
    "gb2312 GB_2312-80 gbk x-gbk cp936 ms936 windows-936 cn-gb CN-GB euc-cn x-euc-cn eucgb2312_cn EUCGB2312_CN chinese csGB2312 gb2312_charset gb18030 gb2312.1980-0 x-mac-chinesesimp x-mac-simp-chinese",
  ],
  ["㐀中€", iconv.encode("㐀中€", "gb18030"), "gb18030 GB18030-2000 gb18030-2005 gb18030-2022 csGB18030 cp54936"],
  [
    "中文測試",
    iconv.encode("中文測試", "big5"),
    "big5 cn-big5 x-x-big5 big5-hkscs csBig5 windows-950 ms950 cp950 big5-eten big5-tw Big5-HKSCS:2004 x-mac-chinesetrad x-mac-trad-chinese",
  ],
  [
    "Zażółć gęślą",
    iconv.encode("Zażółć gęślą", "iso-8859-2"),
    "iso-8859-2 ISO8859-2 iso_8859-2:1987 latin2 latin-2 iso-latin-2 ISO-Latin-2 l2 csISOLatin2 8859-2 8859_2 x-iso-8859-2 windows-28592 iso-ir-101",
  ],
  [
    "Zażółć gęślą „jaźń”",
    iconv.encode("Zażółć gęślą „jaźń”", "windows-1250"),
    "windows-1250 cp1250 cp-1250 x-cp1250 win1250 win-1250 windows1250 ansi-1250 csWindows1250",
  ],
  [
    "Zażółć gęślą",
    iconv.encode("Zażółć gęślą", "maccenteuro"),
    "x-mac-ce mac-ce macce x-mac-centraleurroman x-mac-central-europe x-mac-centraleurope x-mac-latin2",
  ],
  [
    "Größe €",
    iconv.encode("Größe €", "cp858"),
    "cp00858 cp858 ibm00858 ccsid00858 IBM858 csIBM00858 PC-Multilingual-850+euro",
  ],
  ["Größe", iconv.encode("Größe", "cp850"), "cp850 ibm850 csPC850Multilingual dos-850"],
  [
    "Größe “x” €",
    iconv.encode("Größe “x” €", "windows-1252"),
    "windows-1252 cp1252 x-cp1252 ansi x-ansi iso-8859-1 latin1 latin-1 iso-latin-1 ISO_8859-1:1987 l1 cp819 iso8859_1 x-iso-8859-1 ISO-8859-1-Windows-3.1-Latin-1 windows-28591 cp28591 iso88591 8859_1",
  ],
  [
    "Größe €",
    iconv.encode("Größe €", "iso-8859-15"),
    "iso-8859-15 latin9 latin-9 l9 csISOLatin9 ISO8859-15 8859-15 latin0 windows-28605",
  ],
  [
    "İstanbul “ğ”",
    iconv.encode("İstanbul “ğ”", "windows-1254"),
    "iso-8859-9 latin5 latin-5 windows-1254 cp1254 l5 csISOLatin5",
  ],
  ["Привет", iconv.encode("Привет", "koi8-r"), "koi8-r KOI8R koi8_r koi cskoi8r koi8"],
  ["Привіт ґ", iconv.encode("Привіт ґ", "koi8-u"), "koi8-u KOI8U koi8-ru"],
  ["Привет", iconv.encode("Привет", "windows-1251"), "windows-1251 cp1251 win-1251 win1251 x-cp1251 windows1251"],
  ["Привет", iconv.encode("Привет", "cp866"), "cp866 ibm866 csIBM866 866 dos-866"],
  ["Привет", iconv.encode("Привет", "maccyrillic"), "x-mac-cyrillic x-mac-ukrainian"],
  [
    "สวัสดี",
    iconv.encode("สวัสดี", "windows-874"),
    "tis-620 TIS620 iso-8859-11 windows-874 x-windows-874 dos-874 cp874 csTIS620 TIS-620-2533",
  ],
  [
    "שלום",
    iconv.encode("שלום", "iso-8859-8"),
    "iso-8859-8 iso-8859-8-i iso-8859-8-e logical visual hebrew csISO88598I iso-ir-138",
  ],
  [
    "مرحبا",
    iconv.encode("مرحبا", "iso-8859-6"),
    "iso-8859-6 iso-8859-6-i iso-8859-6-e arabic ecma-114 asmo-708 csISO88596E",
  ],
  ["Καλημέρα", iconv.encode("Καλημέρα", "iso-8859-7"), "iso-8859-7 greek greek8 elot_928 ecma-118 sun_eu_greek"],
  [
    "naïve 日本",
    Buffer.from("naïve 日本"),
    "utf-8 utf8 UTF_8 x-utf-8 utf8mb4 cp65001 65001 unicode-1-1-utf-8 utf-8-mac csUTF8 'utf-8' \"utf-8\" utf-8; UTF-8-SIG utf8-bom charset=utf-8",
  ],
  [
    "hi",
    bytesOf("hi"),
    "us-ascii ascii ANSI_X3.4-1968 iso646-us 646 us cp20127 csASCII iso-ir-6 ISO_646.irv:1991 KS_C_5636",
  ],
  ["“Größe”", iconv.encode("“Größe”", "macintosh"), "macintosh x-mac-roman x-mac-latin1 cp10000"],
  ["Tiếng Việt", iconv.encode("Tiếng Việt", "viscii"), "viscii VISCII1.1-1"],
  ["hé", iconv.encode("hé", "utf32be"), "utf-32be ISO-10646-UCS-4"],
  ["Größe", bytesOf("Gr+APYA3w-e"), "utf-7 unicode-1-1-utf-7 x-unicode-2-0-utf-7 csUTF7"],
  ["hé", bytesOf("h\0\xe9\0"), "utf-16le UTF-16LE csUTF16LE"],
  ["hé", bytesOf("\0h\0\xe9"), "utf-16be unicodefffe"],
];

test.each(samples.flatMap(([text, bytes, labels]) => labels.split(" ").map((label) => ({ label, text, bytes }))))(
  "$label",
  ({ label, text, bytes }) => {
    expect(decode(bytes, label)).toEqual({ text, problem: false });
    // Also from the head of a longer input.
    const long = Buffer.concat(Array.from({ length: 40 }, () => bytes));
    expect(text.repeat(40).startsWith(decodeCharsetHead(long, label)!.text)).toBe(true);
  },
);

test.each([
  "x-klingon",
  "base64",
  "hex",
  "x-hex",
  "binary",
  "constructor",
  "__proto__",
  "8bit",
  "unknown-8bit",
  "",
  "-",
])("%j is not a charset: UTF-8 or windows-1252 is guessed, and a problem reported", (label) => {
  expect(isKnownCharset(label)).toBe(false);
  expect(decode(Buffer.from("aGk= ü"), label)).toEqual({ text: "aGk= ü", problem: true });
  expect(decode(bytesOf("\xfc"), label)).toEqual({ text: "ü", problem: true });
});

describe("ISO-2022 and HZ", () => {
  test.each([
    ["iso-2022-kr", "\x1b$)C\x0eGQ1[\x0f text \x0e>H3g\x0f\n\x0e5QB0\x0f \x0eAY\x0f", "한글 text 안녕\n둘째 줄"],
    ["csISO2022KR", "\x0eGQ1[\x0f", "한글"],
    ["iso-2022-kr", "\xc7\xd1\xb1\xdb", "한글"],
    ["hz-gb-2312", "~{VPND~} text ~~ ~{Dc:C~}\n~{5Z6~PP~}", "中文 text ~ 你好\n第二行"],
    ["HZ", "a ~\nb ~{VP\nc ~}d", "a b 中\nc d"],
    ["hz", "\xd6\xd0\xce\xc4", "中文"],
    ["iso-2022-cn", "\x1b$)A\x0eVPND\x0f ok", "中文 ok"],
    ["iso-2022-jp", "\x1b$BF|K\\8l\x1b(B x \x1b(J\\~\x1b(B\\~", "日本語 x ¥‾\\~"],
    ["iso-2022-jp", "\x1b$@F|K\\\x1b(J\x1b(B\x1b$B\x1b$B8l\x1b(B", "日本語"],
    ["iso-2022-jp-ms", "\x1b$B-!|b\x1b(B\x1b(I123\x1b(B", "①髙ｱｲｳ"],
    ["cp50220", "\x1b$B-!\x1b(B", "①"],
    ["cp50221", "\x1b(I123\x1b(B", "ｱｲｳ"],
    ["cp50222", "\x0e123\x0f ok", "ｱｲｳ ok"],
    ["csISO2022JP", "\x1b$BF|\x1b(B", "日"],
    ["iso-2022-jp-1", "\x1b$(D0!\x1b(B", "丂"],
    [
      "iso-2022-jp-2",
      "\x1b$BCf9q\x1b(B \x1b$AVPND\x1b(B \x1b$(CGQ1[\x1b(B caf\x1b.A\x1bNi \x1b.F\x1bNY",
      "中国 中文 한글 café Ω",
    ],
    ["iso-2022-jp-3", "\x1b$(OF|K\\\x1b(B", "日本"],
    ["iso-2022-jp-2004", "\x1b$(QF|K\\\x1b(B", "日本"],
    ["jis", "\x1b$BF|\x1b(B", "日"],
  ])("%s %j", (label, raw, text) => expect(decode(bytesOf(raw), label)).toEqual({ text, problem: false }));

  test.each([
    ["iso-2022-jp", "\x1b$BF|K", "日\ufffd"],
    ["iso-2022-jp", "\xc6a", "\ufffda"],
    ["iso-2022-jp", "\x1b[m", "\ufffd[m"],
    ["iso-2022-kr", "\x0eGQ1", "한\ufffd"],
    ["hz-gb-2312", "~{VPN", "中\ufffd"],
  ])("%s %j is reported as a problem", (label, raw, text) => {
    expect(decode(bytesOf(raw), label)).toEqual({ text, problem: true });
  });

  test("any bytes are taken, and a head says no more than the whole", () => {
    const likely = fc.stringMatching(/^[\x1b\x0e\x0f$()*@ABCDIJKNF.~{}\n!0a\x80\xe9]{0,80}$/).map(bytesOf);
    const label = fc.constantFrom("iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312");
    fc.assert(
      fc.property(fc.oneof(likely, fc.uint8Array({ maxLength: 80 })), label, fc.nat(80), (input, name, cut) => {
        const bytes = Buffer.from(input);
        const { text } = decode(bytes, name);
        const head = decodeCharsetHead(bytes.subarray(0, cut), name)!.text;
        expect(text.startsWith(head)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("a long text is decoded in time", () => {
    const started = cpuMs();
    decode(Buffer.from("\x1b$AVP\x1b$(CGQ".repeat(50_000)), "iso-2022-jp-2");
    decode(Buffer.from(`\x1b$B${"F|".repeat(500_000)}`), "iso-2022-jp");
    expect(cpuMs() - started).toBeLessThan(2000);
  });
});
