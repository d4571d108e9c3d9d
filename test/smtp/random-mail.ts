import fc, { type Arbitrary } from "fast-check";
import { expect } from "vitest";
import { asciiAddress } from "../../src/mime/ascii-address.ts";
import { partBytes } from "../../src/mime/decode.ts";
import { asAddresses, asGroupedAddresses, asMessageIds, asText, parseHeader } from "../../src/mime/headers.ts";
import { leaves, type Part } from "../../src/mime/structure.ts";
import { walk } from "../../src/mime/walk.ts";

/** Random mail as programs write it, valid or not, and what must be kept of it when it is sent. */

const long = (unit: string, count = 400): string => unit.repeat(count);
const word = fc.constantFrom(
  "word",
  "Grüße",
  "日本語",
  "😀",
  "=?utf-8?q?x?=",
  "a.b",
  "(c)",
  '"q"',
  ",",
  ";",
  "",
  long("x", 1200),
);
const phrase = fc.array(word, { maxLength: 6 }).map((all) => all.join(" "));
const stretch = fc.constantFrom(
  "",
  "",
  "",
  ` ${long("word ", 300)}end`,
  long("y", 1500),
  `\r\n folded ${long("z ", 600)}`,
);
const email = fc.constantFrom(
  "zoe@far.test",
  "u@bücher.example",
  "x@例え.テスト",
  "jörg@far.test",
  '"a b"@far.test',
  `${long("l", 60)}@far.test`,
);
const person = fc.tuple(fc.constantFrom("", "Zoë ", '"Z, Y" ', "Ж "), email).map(([name, at]) => `${name}<${at}>`);
const people = fc.oneof(
  fc.array(person, { minLength: 1, maxLength: 5 }).map((all) => all.join(", ")),
  fc.array(person, { maxLength: 3 }).map((all) => `friends: ${all.join(",")};`),
  fc.constant(Array.from({ length: 60 }, (_, n) => `user${n}@far.test`).join(",")),
);
const id = fc.constantFrom("<a@b.test>", "<ü@bücher.example>", `<${long("i", 1300)}@far.test>`, "<x$y@[127.0.0.1]>");

const field: Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom("Subject", "X-Any", "Comments", "X-Mailer"), phrase, stretch)
    .map(([name, text, more]) => `${name}: ${text}${more}`),
  fc
    .tuple(fc.constantFrom("Cc", "Reply-To", "Resent-To", "Disposition-Notification-To"), people)
    .map(([name, list]) => `${name}: ${list}`),
  fc.array(id, { minLength: 1, maxLength: 4 }).map((ids) => `References: ${ids.join("")}`),
  fc.constantFrom(
    "List-Unsubscribe: <https://bücher.example/ü>, <mailto:jörg@bücher.example>",
    "List-Id: Bücher <b.here.test>",
    "Keywords: ü, ö",
  ),
);

const piece = fc.constantFrom(
  ...[
    "plain words",
    "Grüße",
    "Привет, мир",
    "\r\n",
    "\r\n",
    "\r\n\r\n",
    " ",
    "\t",
    ".",
    "--b1",
    "From me",
    "=3D",
    "😀",
  ],
  ...["\n", "\r", "\0", long("x", 1500), long("long ", 400), "\xff".repeat(3)],
);
const content = fc.array(piece, { maxLength: 8 }).map((all) => all.join(""));

const name = fc.constantFrom(
  "",
  "; name=a.txt",
  '; name="ü b.txt"',
  `; name="${long("n", 1200)}"`,
  "; name*=utf-8''%C3%BC",
);
const textPart = fc
  .tuple(fc.constantFrom("text/plain", "text/html"), fc.constantFrom("", "7bit", "8bit", "binary"), content)
  .map(([type, encoding, body]) => [
    `Content-Type: ${type}; charset=utf-8`,
    ...(encoding ? [`Content-Transfer-Encoding: ${encoding}`] : []),
    "",
    body,
  ]);
const filePart = fc
  .tuple(fc.constantFrom("image/png", "text/csv", "application/pdf"), name, fc.constantFrom("8bit", "binary"), content)
  .map(([type, params, encoding, body]) => [
    `Content-Type: ${type}${params}`,
    "Content-Disposition: attachment",
    `Content-Transfer-Encoding: ${encoding}`,
    "",
    body,
  ]);
const encodedPart = fc.tuple(fc.constantFrom("base64", "quoted-printable"), content).map(([encoding, body]) => {
  const bytes = Buffer.from(body);
  const coded =
    encoding === "base64"
      ? bytes.toString("base64")
      : [...bytes].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join("");
  return ["Content-Type: application/x-y", `Content-Transfer-Encoding: ${encoding}`, "", coded];
});

/** Nested parts, each level with its own boundary. */
const tree = (depth: number): Arbitrary<string[]> => {
  const leaf = fc.oneof(textPart, filePart, encodedPart);
  if (depth === 0) return leaf;
  const inner = tree(depth - 1);
  const parts = fc.array(inner, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc
      .tuple(fc.constantFrom("mixed", "alternative", "signed", "report"), parts, fc.constantFrom("", "Préambule"))
      .map(([subtype, list, preamble]) => [
        `Content-Type: multipart/${subtype}; boundary=b${depth}`,
        "",
        ...(preamble ? [preamble] : []),
        ...list.flatMap((part) => [`--b${depth}`, ...part]),
        `--b${depth}--`,
        "",
      ]),
    fc
      .tuple(fc.array(field, { maxLength: 3 }), inner)
      .map(([fields, part]) => [
        "Content-Type: message/rfc822",
        "",
        "From: j@far.test",
        ...fields,
        "MIME-Version: 1.0",
        ...part,
      ]),
  );
};

/** A message from Ada, with further header fields. */
export const randomMail: Arbitrary<Buffer> = fc
  .tuple(fc.array(field, { maxLength: 4 }), tree(2), fc.boolean())
  .map(([fields, body, isUnix]) => {
    const unique = new Map(fields.map((line) => [line.slice(0, line.indexOf(":")), line]));
    const text = [
      "From: Ada <ada@here.test>",
      "To: zoe@far.test",
      ...unique.values(),
      "MIME-Version: 1.0",
      ...body,
    ].join("\r\n");
    return Buffer.from(isUnix ? text.replaceAll("\r\n", "\n") : text);
  });

const lf = (bytes: Buffer): string => bytes.toString("latin1").replaceAll("\r\n", "\n");
const flat = (text: string): string => text.replace(/\s+/g, " ").trim();

/** Checks that a reader sees the same in both messages. */
export function expectSame(source: Buffer, sent: Buffer): void {
  const [before, after] = [walk(source), walk(sent)];
  expectSameHeader(source, sent);
  const [old, now] = [leaves(before), leaves(after)];
  expect(now.map(({ type, name, disposition }) => ({ type, name, disposition }))).toEqual(
    old.map(({ type, name, disposition }) => ({ type, name, disposition })),
  );
  for (const [index, part] of old.entries()) expectSamePart(source, part, sent, now[index]!);
}

function expectSamePart(source: Buffer, part: Part, sent: Buffer, now: Part): void {
  const [old, fresh] = [partBytes(source, part), partBytes(sent, now)];
  if (part.type === "message/rfc822") {
    expectSame(old, fresh);
    return;
  }
  // The last line break may be missing, and lines of a text may have had another ending.
  const isExact = part.disposition === "attachment" && !isUnix(source);
  if (isExact) expect(fresh.toString("latin1").trimEnd()).toBe(old.toString("latin1").trimEnd());
  else expect(lf(fresh).trimEnd()).toBe(lf(old).trimEnd());
}

const isUnix = (message: Buffer): boolean => message[message.indexOf("\n") - 1] !== 0x0d;

const added = /^(dkim-signature|received|mime-version|content-.*|date|message-id)$/i;

function expectSameHeader(source: Buffer, sent: Buffer): void {
  const read = (message: Buffer) => parseHeader(message).filter((one) => !added.test(one.name));
  const [old, now] = [read(source), read(sent)];
  expect(now.map((one) => one.name)).toEqual(old.map((one) => one.name));
  old.forEach(({ name: title, value }, index) => {
    const fresh = now[index]!.value;
    if (/^(from|to|cc|reply-to|resent-to|disposition-notification-to)$/i.test(title)) {
      expect(addresses(fresh)).toEqual(addresses(value));
      expect(names(fresh)).toEqual(names(value));
    } else if (/^references$/i.test(title)) {
      expect(asMessageIds(fresh)).toHaveLength(asMessageIds(value)!.length);
    } else if (!/^list-/i.test(title)) expect(flat(asText(fresh))).toBe(flat(asText(value)));
  });
}

/** The names of the addresses that every server can take. */
const names = (value: string): (string | null)[] =>
  asAddresses(value)
    .filter(({ email: address }) => asciiAddress(address) !== undefined)
    .map(({ name: one }) => one);

/** Addresses with domains as A-labels; those without an ASCII form by their name or unchanged. */
function addresses(value: string): string[] {
  return asGroupedAddresses(value)
    .flatMap((group) => [
      ...(group.addresses.length === 0 && /@/.test(group.name ?? "") ? [group.name!.replace(/^.* (?=\S+$)/, "")] : []),
      ...group.addresses.map(({ email: address }) => asciiAddress(address) ?? address),
    ])
    .sort();
}

const value = fc.constantFrom(
  "Grüße",
  "plain",
  "x".repeat(1500),
  "word ".repeat(300),
  "日本語".repeat(100),
  'a "b" <c>',
  "=?utf-8?q?x?=",
);
const body = fc.constantFrom(
  "Hello\nworld\n",
  "Grüße\n",
  "x".repeat(3000),
  `a\0b\r${"long ".repeat(400)}`,
  "From me\n.\n--b\n",
);

/** A draft as a client writes it with Email/set. */
export const randomDraft: Arbitrary<object> = fc
  .record({
    subject: value,
    cc: fc.array(
      fc.record({
        name: fc.option(value),
        email: fc.constantFrom("zoe@far.test", "u@bücher.example", "jörg@far.test"),
      }),
      { maxLength: 3 },
    ),
    references: fc.array(fc.constantFrom("a@b.test", `${"i".repeat(1200)}@b.test`), { minLength: 1, maxLength: 3 }),
    raw: value,
    text: body,
    html: fc.option(body),
    name: fc.option(value),
  })
  .map(({ subject, cc, references, raw, text, html, name: file }) => ({
    from: [{ name: "Ädä", email: "ada@here.test" }],
    to: [{ name: null, email: "zoe@far.test" }],
    ...{ subject, cc, references },
    "header:X-Raw": ` ${raw}`,
    "header:X-Text:asText": raw,
    bodyValues: { t: { value: text }, h: { value: html ?? "" }, f: { value: text } },
    textBody: [{ partId: "t", type: "text/plain" }],
    ...(html !== null && { htmlBody: [{ partId: "h", type: "text/html" }] }),
    attachments: [{ partId: "f", type: "text/csv", name: file, disposition: "attachment" }],
  }));
