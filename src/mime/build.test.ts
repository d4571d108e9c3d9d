import fc from "fast-check";
import { simpleParser } from "mailparser";
import { describe, expect, test } from "vitest";
import { type BuildPart, buildMessage, encodeHeader } from "./build.ts";
import { bodyValue, partBytes, rawBody } from "./decode.ts";
import { asAddresses, asDate, asGroupedAddresses, asMessageIds, asText, asUrls, parseHeader } from "./headers.ts";
import { leaves, type Part } from "./structure.ts";
import { walk } from "./walk.ts";
import { isCarried, wireFaults } from "./wire-scan.ts";

const random = (bytes: number): Buffer => Buffer.alloc(bytes, 7);
const leaf = (content: BuildPart["content"], more: Partial<BuildPart> = {}): BuildPart => ({
  type: "text/plain",
  headers: [],
  content,
  ...more,
});
const build = (body: BuildPart): Buffer => buildMessage({ headers: [], body }, random);

const unicode = fc.string({ unit: "grapheme", maxLength: 120 });
const tricky = fc.array(
  fc.constantFrom(
    " ",
    "  ",
    "=?",
    "?=",
    "=?utf-8?q?x?=",
    '"',
    "\\",
    "(",
    ")",
    ",",
    ":",
    "<",
    ">",
    "ü",
    "word",
    "a.b",
    "😀",
    "x".repeat(250),
  ),
  { maxLength: 20 },
);
const text = fc
  .oneof(
    unicode,
    fc.string({ maxLength: 200 }),
    tricky.map((all) => all.join("")),
  )
  .map((value) => value.replace(/[\x00-\x1f\x7f-\x9f]/g, "").normalize("NFC"));

/** As it stands in a message: foldable lines, nothing but ASCII. */
function check(raw: string): void {
  expect(raw).toMatch(/^[ \t\x21-\x7e\r\n]*$/);
  expect(raw.replace(/\r\n[ \t]+(?=[^ \t\r\n])/g, "")).not.toMatch(/[\r\n]/);
  for (const line of raw.split("\r\n")) expect(line.length).toBeLessThan(900);
}

describe("encodeHeader", () => {
  test("Text reads back as it was", () => {
    fc.assert(
      fc.property(text, (value) => {
        const raw = encodeHeader("Text", value);
        check(raw);
        expect(asText(raw)).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  test("Text is encoded only where it must be", () => {
    expect(encodeHeader("Text", "Hello world")).toBe(" Hello world");
    expect(encodeHeader("Text", "Das ist für dich da")).toBe(" Das ist =?utf-8?q?f=C3=BCr?= dich da");
    expect(
      encodeHeader("Text", `${"long ".repeat(30)}end`)
        .split("\r\n")
        .every((line) => line.length <= 78),
    ).toBe(true);
  });

  test("very many spaces cost little, and fit in lines", () => {
    for (const value of [`a${" ".repeat(100_000)}`, `a${" ".repeat(100_000)}b`]) {
      const raw = encodeHeader("Text", value);
      check(raw);
      expect(asText(raw)).toBe(value);
      expect(asAddresses(encodeHeader("Addresses", [{ name: value, email: "a@b" }]))).toHaveLength(1);
    }
  });

  const email = fc.constantFrom("a@b.example", '"a b"@c.example', "x.y+z@d.example", "b@[IPv6:::1]", "half");
  const name = fc.option(text.map((value) => value.trim()).filter((value) => value !== ""));
  const addresses = fc.array(fc.record({ name, email }), { maxLength: 8 });

  test("Addresses read back as they were", () => {
    fc.assert(
      fc.property(addresses, (list) => {
        const raw = encodeHeader("Addresses", list);
        check(raw);
        expect(asAddresses(raw)).toEqual(list);
      }),
      { numRuns: 2000 },
    );
  });

  test("GroupedAddresses read back as they were", () => {
    const group = fc.record({ name: text.map((value) => value.trim()), addresses });
    fc.assert(
      fc.property(addresses, fc.array(group, { maxLength: 3 }), (first, groups) => {
        const all = [...(first.length > 0 ? [{ name: null, addresses: first }] : []), ...groups];
        expect(asGroupedAddresses(encodeHeader("GroupedAddresses", all))).toEqual(all);
      }),
      { numRuns: 500 },
    );
  });

  test("no address breaks out of its place", () => {
    const evil = ["x>, <evil@x", 'a"b@x', "c,d@x", "e\r\nBcc: f@x", "(g@x", "h:i@x;"];
    const list = evil.map((address) => ({ name: null, email: address }));
    const raw = encodeHeader("Addresses", list);
    expect(asAddresses(raw)).toHaveLength(list.length);
    expect(raw).not.toMatch(/\n[^ ]/);
  });

  test("ids, URLs and dates read back as they were", () => {
    const ids = Array.from({ length: 20 }, (_, index) => `${index}.abc@example.com`);
    expect(asMessageIds(encodeHeader("MessageIds", ids))).toEqual(ids);
    expect(asUrls(encodeHeader("URLs", ["https://a.example/?x=1,2", "mailto:b@c"]))).toEqual([
      "https://a.example/?x=1,2",
      "mailto:b@c",
    ]);
    for (const date of ["2014-10-30T14:12:00+08:00", "1999-01-01T00:00:00Z"])
      expect(asDate(encodeHeader("Date", date))).toBe(date);
    expect(encodeHeader("Date", "2014-10-30T14:12:00+08:00")).toBe(" Thu, 30 Oct 2014 14:12:00 +0800");
  });

  test("a Raw value cannot end its field", () => {
    expect(encodeHeader("Raw", " a\r\nBcc: x\0\r\n\r\nbody")).toBe(" a\r\n Bcc: x\r\n body");
    expect(encodeHeader("Raw", " a\r\n\tb")).toBe(" a\r\n\tb");
    fc.assert(
      fc.property(
        fc.string({ maxLength: 50, unit: fc.constantFrom("\r", "\n", " ", "a", ":", "\0", "ü") }),
        (value) => {
          const bytes = Buffer.from(`X:${encodeHeader("Raw", value)}\r\nY: z\r\n\r\nbody`);
          expect(parseHeader(bytes).map((field) => field.name)).toEqual(["X", "Y"]);
        },
      ),
    );
  });
});

const filename = fc.option(text.filter((value) => value !== "" && value.length < 200));
const token = fc.stringMatching(/^[a-z]{1,8}$/);
const extras = {
  name: filename,
  disposition: fc.constantFrom(null, "inline", "attachment"),
  cid: fc.option(token.map((value) => `${value}@x`)),
  language: fc.option(fc.array(token, { minLength: 1, maxLength: 3 })),
  location: fc.option(token.map((value) => `https://example.com/${value}`)),
};
const bodyText = fc
  .array(fc.oneof(unicode, fc.constantFrom("\n", "\r\n", "From me\n", ".", "--", "x".repeat(1200), " \n", "\t")), {
    maxLength: 10,
  })
  .map((all) => all.join(""));
const textLeaf = fc.record({
  ...extras,
  type: fc.constantFrom("text/plain", "text/html"),
  content: fc.record({ text: bodyText }),
});
const bytesLeaf = fc.record({
  ...extras,
  type: fc.constantFrom("image/png", "message/rfc822", "application/x-y"),
  content: fc.record({ bytes: fc.uint8Array({ maxLength: 200 }) }),
});
const tree = fc.letrec<{ part: BuildPart }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(textLeaf, bytesLeaf).map((part): BuildPart => ({ ...part, headers: [] })),
    fc
      .record({
        subtype: fc.constantFrom("mixed", "related", "alternative"),
        parts: fc.array(tie("part"), { maxLength: 4 }),
      })
      .map(({ subtype, parts }): BuildPart => ({ type: `multipart/${subtype}`, headers: [], content: { parts } })),
  ),
})).part;

function same(bytes: Buffer, part: Part, built: BuildPart): void {
  const { content } = built;
  expect(part.type).toBe(built.type);
  if ("parts" in content) {
    expect(part.parts).toHaveLength(content.parts.length);
    for (const [index, child] of content.parts.entries()) same(bytes, part.parts![index]!, child);
    return;
  }
  for (const key of ["name", "disposition", "cid", "language", "location"] as const)
    expect(part[key]).toEqual(built[key] ?? null);
  if ("bytes" in content) {
    const found = partBytes(bytes, part);
    // Attached messages may not be encoded, so those that could not be sent are rewritten.
    const isAsItWas = built.type !== "message/rfc822" || isCarried(wireFaults(Buffer.from(content.bytes)), true);
    if (isAsItWas) expect(found.equals(content.bytes)).toBe(true);
    else expect(isCarried(wireFaults(found), true)).toBe(true);
  } else {
    const value = content.text.replace(/\r\n/g, "\n");
    expect(bodyValue(rawBody(bytes, part), part, 0)).toEqual({ value, isEncodingProblem: false, isTruncated: false });
    expect(part.charset).toBe("utf-8");
  }
}

describe("buildMessage", () => {
  test("what is built is read again", () => {
    fc.assert(
      fc.property(tree, (body) => {
        const bytes = build(body);
        same(bytes, walk(bytes), body);
        expect(isCarried(wireFaults(bytes), true)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("what is built is legal from the start, whatever stands in its header", () => {
    const long = fc.constantFrom("x".repeat(3000), "word ".repeat(800).trim(), "ü".repeat(1500), "a", "Grüße aus Köln");
    const fields = fc.record({
      subject: long,
      token: long,
      name: long,
      to: fc.array(
        fc.record({ name: fc.option(long), email: fc.constantFrom("a@b.test", `${"l".repeat(2000)}@b.test`) }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      ids: fc.array(fc.constantFrom("a@b", `${"i".repeat(2500)}@b`), { minLength: 1, maxLength: 4 }),
      urls: fc.array(fc.constantFrom("https://a.test/", `https://a.test/${"u".repeat(2000)}`), {
        minLength: 1,
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(fields, ({ subject, token: raw, name: file, to, ids, urls }) => {
        const headers = [
          { name: "Subject", value: encodeHeader("Text", subject) },
          { name: "X-Token", value: encodeHeader("Raw", ` ${raw}`) },
          { name: "To", value: encodeHeader("Addresses", to) },
          { name: "References", value: encodeHeader("MessageIds", ids) },
          { name: "List-Help", value: encodeHeader("URLs", urls) },
          { name: "X".repeat(900), value: encodeHeader("Text", subject) },
          { name: "X".repeat(901), value: " left out" },
        ];
        const cid = `${"c".repeat(2000)}@x`;
        const location = `https://a.test/${"l".repeat(2000)}`;
        const body = leaf({ text: "x ".repeat(2000) }, { name: file, disposition: "attachment", cid, location });
        const bytes = buildMessage({ headers, body }, random);
        expect(isCarried(wireFaults(bytes), true)).toBe(true);
        const found = parseHeader(bytes);
        const value = (title: string): string => found.find((one) => one.name === title)!.value;
        expect(asText(value("Subject"))).toBe(subject);
        expect(asText(value("X-Token"))).toBe(raw);
        expect(asText(value("X".repeat(900)))).toBe(subject);
        expect(asMessageIds(value("References"))).toEqual(ids);
        expect(asUrls(value("List-Help"))).toEqual(urls);
        expect(found.map((one) => one.name)).not.toContain("X".repeat(901));
        expect(asAddresses(value("To"))).toHaveLength(to.filter(({ email: at }) => at.length < 100).length);
        expect(walk(bytes)).toMatchObject({ name: file, cid, location });
      }),
      { numRuns: 200 },
    );
  });

  test("lines have no more than 78 characters where that is possible, 76 with encoded words", () => {
    const text = "Grüße an alle in den Büros und die, die zu Hause arbeiten, ".repeat(10);
    const headers = ["Subject", "X-A-Name-Of-A-Field-That-Is-Rather-Long", "Cc"].map((title) => ({
      name: title,
      value:
        title === "Cc"
          ? encodeHeader("Addresses", [{ name: text, email: "a@b.test" }], title.length + 1)
          : encodeHeader("Text", text, title.length + 1),
    }));
    const body = leaf(
      { text: `${"word ".repeat(100)}\n<p>${"x".repeat(100)}` },
      { name: text, disposition: "attachment" },
    );
    const bytes = buildMessage({ headers, body }, random).toString("latin1");
    for (const line of bytes.split("\r\n")) expect(line.length).toBeLessThanOrEqual(line.includes("=?") ? 76 : 78);
  });

  test("an attached message that could not be sent is put right within", () => {
    const bytes = Buffer.from(`Subject: in\r\n\r\na\0b${"x".repeat(3000)}`);
    const built = build({
      type: "multipart/mixed",
      headers: [],
      content: { parts: [leaf({ bytes }, { type: "message/rfc822" })] },
    });
    expect(isCarried(wireFaults(built), false)).toBe(true);
    const attached = partBytes(built, leaves(walk(built))[0]!);
    expect(partBytes(attached, walk(attached)).toString()).toBe(`a\0b${"x".repeat(3000)}`);
  });

  test("a boundary in the content is not chosen", () => {
    const content = `--=_${random(12).toString("hex")}\n`;
    const bytes = build({ type: "multipart/mixed", headers: [], content: { parts: [leaf({ text: content })] } });
    expect(leaves(walk(bytes)).map((part) => bodyValue(rawBody(bytes, part), part, 0).value)).toEqual([content]);
  });

  test("a plain message looks plain", () => {
    const headers = [
      { name: "Subject", value: " Hi" },
      { name: "Bad name", value: "x" },
    ];
    expect(buildMessage({ headers, body: leaf({ text: "Hello\nworld\n" }) }, random).toString()).toBe(
      "Subject: Hi\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHello\r\nworld\r\n",
    );
  });

  test("message/rfc822 is not encoded, and tells when it is 8bit", () => {
    const bytes = Buffer.from("Subject: ü\r\n\r\nx");
    const built = build({
      type: "multipart/mixed",
      headers: [],
      content: { parts: [leaf({ bytes }, { type: "message/rfc822" })] },
    });
    expect(built.toString().match(/Content-Transfer-Encoding: 8bit/g)).toHaveLength(2);
  });

  test("another parser reads the same", async () => {
    const body: BuildPart = {
      ...{ type: "multipart/mixed", headers: [] },
      content: {
        parts: [
          leaf({ text: "Grüße\n" }),
          leaf(
            { bytes: Buffer.from([1, 2, 255]) },
            { type: "application/x-y", name: `${"naïve ".repeat(20)}.bin`, disposition: "attachment" },
          ),
        ],
      },
    };
    const headers = [
      {
        name: "Subject",
        value: encodeHeader("Text", "Schöne Grüße von weit her, so weit dass es eine Zeile lang wird 😀😀"),
      },
      { name: "From", value: encodeHeader("Addresses", [{ name: 'J. "Q" Jörg', email: "j@example.com" }]) },
    ];
    const mail = await simpleParser(buildMessage({ headers, body }, random));
    expect(mail.subject).toBe("Schöne Grüße von weit her, so weit dass es eine Zeile lang wird 😀😀");
    expect(mail.from?.value).toEqual([{ address: "j@example.com", name: 'J. "Q" Jörg' }]);
    expect(mail.text).toBe("Grüße\n");
    expect(mail.attachments[0]?.filename).toBe(`${"naïve ".repeat(20)}.bin`);
    expect(mail.attachments[0]?.content).toEqual(Buffer.from([1, 2, 255]));
  });
});
