import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyParts } from "../../src/mime/body.ts";
import { bodyValue, partBytes, rawBody } from "../../src/mime/decode.ts";
import { withoutBcc } from "../../src/mime/envelope-fields.ts";
import { type HeaderForm, parseHeader, readHeaderProperty } from "../../src/mime/headers.ts";
import { searchText } from "../../src/mime/search-text.ts";
import { leaves, type Part } from "../../src/mime/structure.ts";
import { baseSubject } from "../../src/mime/subject.ts";
import { summarise } from "../../src/mime/summary.ts";
import { nastyMessages } from "./corpus.ts";

const forms: HeaderForm[] = ["Raw", "Text", "Addresses", "GroupedAddresses", "MessageIds", "Date", "URLs"];

/** Runs everything that is done to a message, and checks what must hold for any. */
function exercise(bytes: Buffer, summary = summarise(bytes)): void {
  const { structure } = summary;
  expect(summary.preview.length).toBeLessThanOrEqual(256);
  expect(baseSubject(summary.subject ?? "")).not.toContain("\n");
  if (bytes.length < 100_000) searchText(bytes, structure);
  withoutBcc(bytes);
  const json = JSON.stringify(summary);
  expect(JSON.stringify(JSON.parse(json)) === json).toBe(true);
  bodyParts(structure);
  const ids = new Set<string>();
  for (const part of leaves(structure)) {
    ids.add(part.partId!);
    if (ids.size > 100) continue;
    expect(partBytes(bytes, part).length).toBe(part.size);
    bodyValue(rawBody(bytes, part), part, 1000);
  }
  expect(ids.size).toBe(leaves(structure).length);
  checkRanges(structure, 0, bytes.length);
}

function checkRanges(part: Part, start: number, end: number): void {
  const { header, body } = part;
  const ordered =
    start <= header.start && header.start <= header.end && header.end <= body.start && body.start <= body.end;
  if (!ordered || body.end > end) throw new Error(`ranges out of order: ${JSON.stringify({ ...part, parts: null })}`);
  if ((part.parts !== null) !== part.type.startsWith("multipart/")) throw new Error("only multiparts have parts");
  let from = body.start;
  for (const child of part.parts ?? []) {
    checkRanges(child, from, body.end);
    from = child.body.end;
  }
}

function readAllForms(bytes: Buffer): void {
  const fields = parseHeader(bytes);
  for (const name of ["From", "To", "Cc", "Subject", "Date", "References", "Content-Type"]) {
    for (const form of forms) readHeaderProperty(fields, { name, form, all: true });
  }
}

describe("the nasty corpus", () => {
  for (const { name, bytes } of nastyMessages()) {
    test(`${name}: within 1 s of CPU`, () => {
      const cpu = process.cpuUsage();
      const summary = summarise(bytes);
      const search = searchText(bytes, summary.structure);
      baseSubject(summary.subject ?? "");
      const { user, system } = process.cpuUsage(cpu);
      expect((user + system) / 1e6).toBeLessThan(1);
      expect(summary.size).toBe(bytes.length);
      expect(search.texts.join("\n").length).toBeLessThanOrEqual(2 * bytes.length);
      exercise(bytes, summary);
      if (bytes.length < 100_000) readAllForms(bytes);
    });
  }
});

describe("arbitrary bytes", () => {
  const pieces = fc.constantFrom(
    ...[
      "\r\n",
      "\n",
      "\r",
      "\0",
      "--b",
      "--b--",
      "--",
      " ",
      "\t",
      ":",
      ";",
      "=",
      "=?utf-8?q?=C3=BC?=",
      '"',
      "(",
      ")",
      "<",
      ">",
      ",",
      "\\",
    ],
    ...[
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "Content-Type: text/html; charset=utf-16\r\n",
      "\r\n\r\n",
      "<a href='x'>",
    ],
    ...[
      "Content-Transfer-Encoding: base64\r\n",
      "Content-Disposition: attachment; filename*0*=",
      "From: ",
      "Subject: ",
      "é",
      "aGk=",
    ],
  );
  const text = fc
    .array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 60 })
    .map((all) => Buffer.from(all.join(""), "utf8"));

  test("never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => exercise(Buffer.from(bytes))),
      { numRuns: 500 },
    );
  });

  test("made of meaningful tokens never throw", () => {
    fc.assert(
      fc.property(text, (bytes) => {
        exercise(bytes);
        readAllForms(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
