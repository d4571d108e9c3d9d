import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { searchPhrases } from "./search-query.ts";
import { Highlighter } from "./snippet.ts";
import { words } from "./words.ts";

const highlighter = (query: string) => new Highlighter(searchPhrases(query));
const mark = (query: string, text: string) => highlighter(query).mark(text);
const preview = (query: string, text: string) => highlighter(query).preview(text);

describe("mark", () => {
  test.each([
    ["foo", "Foo bar", "<mark>Foo</mark> bar"],
    ["foo", "football", null],
    ["foo*", "The Foosball and football", "The <mark>Foo</mark>sball and <mark>foo</mark>tball"],
    ["bar foo", "foo, then bar", "<mark>foo</mark>, then <mark>bar</mark>"],
    ["uber", "Über alles", "<mark>Über</mark> alles"],
    ["Über", "uber u\u0308ber", "<mark>uber</mark> <mark>u\u0308ber</mark>"],
    ['"see the sea"', "see the sea, see the river", "<mark>see the sea</mark>, see the river"],
    ['"see the sea"', "see sea the", null],
    ["e-mail", "my e-mail and mail", "my <mark>e-mail</mark> and mail"],
    ["ada@example.org", "from ada@example.org!", "from <mark>ada@example.org</mark>!"],
    ["-foo bar", "foo bar", "foo <mark>bar</mark>"],
    ["b", "a < b & c > d", "a &lt; <mark>b</mark> &amp; c &gt; d"],
    ['"b c"', "a b & c", "a <mark>b &amp; c</mark>"],
    ["東京", "明日東京に行く", "明日<mark>東京</mark>に行く"],
    ["πόλις", "ΠΟΛΙΣ", "<mark>ΠΟΛΙΣ</mark>"],
    ["한국", "한국", "<mark>한국</mark>"],
    ["fi", "ﬁ", "<mark>ﬁ</mark>"],
    ["a b", "a a b", "<mark>a</mark> <mark>a</mark> <mark>b</mark>"],
    ['"a a"', "a a a", "<mark>a a a</mark>"],
    ["", "anything", null],
    ["--", "-- anything", null],
    ["strasse", "Straße, STRASSE", "<mark>Straße</mark>, <mark>STRASSE</mark>"],
    ["oktober", "Ok\u00adto\u00adber\u00ad-Rechnung", "<mark>Ok\u00adto\u00adber</mark>\u00ad-Rechnung"],
    ["كتاب", "كِتَابٌ جديد", "<mark>كِتَابٌ</mark> جديد"],
    ["ประชุม", "ขอเชิญประชุมประจำเดือน", "ขอเชิญ<mark>ประชุม</mark>ประจำเดือน"],
    ["大学", "北京大学生", "北京<mark>大学</mark>生"],
    ["京大学", "北京大学 京大", "北<mark>京大学</mark> 京大"],
    ["会", "会議、会社", "<mark>会</mark>議、<mark>会</mark>社"],
    ["회의", "내일 회의가", "내일 <mark>회의</mark>가"],
    ['"用python编"', "使用Python编程", "使<mark>用Python编</mark>程"],
    ["script", "使用Javascript编程", null],
    ["👍", "ok 👍🏽👍", "ok <mark>👍🏽👍</mark>"],
    ["2024", "٢٠٢٤", "<mark>٢٠٢٤</mark>"],
  ])("%j in %j is %j", (query, text, expected) => {
    expect(mark(query, text)).toBe(expected);
  });

  test("a word of more than 64 characters is found as the index finds it", () => {
    const long = "x".repeat(100);
    expect(mark(long, `a ${long} b`)).toBe(`a <mark>${long}</mark> b`);
  });
});

describe("preview", () => {
  test("shows the words around the first match on one line, without what nobody sees", () => {
    const text = `${"lorem ipsum ".repeat(40)}\n\n  the\u200b needle\tis here\r\n${"dolor sit ".repeat(40)}`;
    const found = preview("needle", text)!;
    expect(found).toMatch(/^…(lorem ipsum |ipsum )+the <mark>needle<\/mark> is here (dolor |sit )+(dolor|sit|\w+)…$/);
    expect(Buffer.byteLength(found)).toBeLessThanOrEqual(255);
    expect(Buffer.byteLength(found)).toBeGreaterThan(230);
  });

  test("a short text stands there whole", () => {
    expect(preview("b", "a\nb\nc")).toBe("a <mark>b</mark> c");
  });

  test("a match is found wherever it stands, across blocks too", () => {
    for (let offset = 560; offset < 740; offset++) {
      const text = `${"x ".repeat(offset / 2)}${offset % 2 ? "." : ""}two words ${"y ".repeat(400)}`;
      expect(preview('"two words"', text)).toContain("<mark>two words</mark>");
      const han = `${"山".repeat(offset)}、東京、${"川".repeat(700)}`;
      expect(preview("東京", han)).toContain("<mark>東京</mark>");
    }
  });

  test("a match is found far behind words that look like it, and in a text without any white space", () => {
    const hay = "two hay, two needles. ".repeat(10_000);
    expect(preview('"two needle"', `${hay}two needle`)).toMatch(/two needles. <mark>two needle<\/mark>$/);
    expect(preview('"two needle"', `ü ${hay}two needle`)).toMatch(/<mark>two needle<\/mark>$/);
    expect(preview("東京", `${"山川".repeat(100_000)}東京`)).toMatch(/川<mark>東京<\/mark>$/);
    expect(preview("script", `${"使用Javascript".repeat(3000)}`)).toBeNull();
    expect(preview("script", `${"x".repeat(5000)}script${"山".repeat(3000)}`)).toBeNull();
  });

  test("words of a phrase stand side by side however much is between them", () => {
    expect(preview('"see you"', `see ${"- ".repeat(3000)} you`)).toMatch(/^<mark>see (- )+-<\/mark>…$/);
  });

  test("a long text is examined in turns with others", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const found = await highlighter("needle").previewInTurns(`${"ü hay ".repeat(120_000)}needle`);
    clearInterval(timer);
    expect(found).toMatch(/<mark>needle<\/mark>$/);
    expect(turns).toBeGreaterThan(0);
  });

  test("a phrase that is longer than a preview is marked as far as it goes", () => {
    const phrase = Array.from({ length: 60 }, (_, n) => `word${n}`).join(" ");
    const found = preview(`"${phrase}"`, `start ${phrase} end`)!;
    expect(found).toMatch(/^start <mark>word0 word1 .*<\/mark>…$/);
    expect(Buffer.byteLength(found)).toBeLessThanOrEqual(255);
  });

  test("of HTML, shows the text around the match, though the word occurs in markup before", () => {
    const style = `<style>.needle { color: red }</style><!-- needle <p>needle --><a title="needle">`;
    const html = `${style}${"<p>hay</p>\n".repeat(500)}<p>a <b>Need</b>le &lt; needles<i> needle</i>!</p>${"<p>hay</p>".repeat(900)}`;
    expect(highlighter("needle").previewNear(html)).toMatch(
      /<mark>Needle<\/mark> &lt; needles <mark>needle<\/mark>! hay/,
    );
    expect(highlighter("needle").previewNear(`${style}${"<p>hay</p>".repeat(900)}`)).toBeNull();
  });

  test("is null when nothing matches", () => {
    expect(preview("needle", "hay ".repeat(10_000))).toBeNull();
    expect(preview("needle", "needles ".repeat(1000))).toBeNull();
  });

  test("is HTML of at most 255 octets with a match in it, whatever the text", () => {
    const piece = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.constant("&<>&<> "));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(60), (pieces, at) => {
        const text = [...pieces.slice(0, at), " needle ", ...pieces.slice(at)].join("");
        const found = preview("needle", text);
        if (found === null) return words(text.toWellFormed()).includes("needle") === false;
        expect(Buffer.byteLength(found)).toBeLessThanOrEqual(255);
        expect(found.isWellFormed()).toBe(true);
        expect(found.match(/<mark>/g)?.length).toBe(found.match(/<\/mark>/g)?.length);
        const plain = found.replace(/<\/?mark>/g, "");
        expect(plain).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
        expect(found).toMatch(/<mark>/);
        return true;
      }),
    );
  });
});
