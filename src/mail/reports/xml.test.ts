import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BadReport } from "./unpack.ts";
import { childrenOf, readXml, textIn, xmlText } from "./xml.ts";

describe("the XML of reports", () => {
  test("elements, text, references and CDATA are read; attributes, comments, prefixes and instructions are not", () => {
    const root = readXml(`\ufeff<?xml version="1.0"?><!-- <x> -->
      <n:feedback xmlns:n="urn:x" a='>'><n:a lang="en">1 &lt; 2 &amp;&#38; &#x41;&nosuch;</n:a><b/><a><![CDATA[<&]]></a ></n:feedback>`);
    expect(root.name).toBe("feedback");
    expect(childrenOf(root, "a").map(({ text }) => text)).toEqual(["1 < 2 && A&nosuch;", "<&"]);
    expect(textIn(root, "b")).toBe("");
  });

  test.each([
    ["a DOCTYPE", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ["an end tag too many", "<a></a></a>"],
    ["an end tag of another element", "<a><b></a></b>"],
    ["an element that does not end", "<a><b></b>"],
    ["a tag that does not end", "<a"],
    ["a quote that does not end", '<a b="></a>'],
    ["a comment that does not end", "<a><!-- </a>"],
    ["two documents", "<a/><b/>"],
    ["text beside it", "x<a/>"],
    ["nothing", ""],
    ["elements that are too deep", "<a>".repeat(30)],
    ["a tag without a name", "<a><1></1></a>"],
  ])("with %s is refused", (_, text) => {
    expect(() => readXml(text)).toThrow(BadReport);
  });

  test("a million entities or elements cost no more than their length", () => {
    const began = process.cpuUsage();
    expect(readXml(`<a>${"&lt;".repeat(1_000_000)}</a>`).text).toHaveLength(10_000);
    expect(() => readXml(`<a>${"<b/>".repeat(1_000_000)}</a>`)).toThrow("too many");
    expect(() => readXml("<".repeat(1_000_000))).toThrow(BadReport);
    expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);
  });

  test("any text comes back as it went in", () => {
    const legal = fc
      .string({ unit: "grapheme" })
      .map((text) => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, ""));
    const holds = fc.property(legal, (text) => {
      expect(readXml(`<a>${xmlText(text)}</a>`).text).toBe(text);
    });
    fc.assert(holds);
  });
});
