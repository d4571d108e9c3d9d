import { expect, test } from "vitest";
import { encodeBase64 } from "../../mime/base64.ts";
import { bodyValue as wholeValue } from "../../mime/decode.ts";
import type { Range } from "../../mime/structure.ts";
import { encodeQuotedPrintable } from "../../mime/transfer.ts";
import { walk } from "../../mime/walk.ts";
import { bodyValue } from "./body-value.ts";
import type { MessageContent } from "./content.ts";

const line = "Grüße, <b>this</b> is a line of some text.\r\n";
const encoders = { "8bit": (bytes: Buffer) => bytes, base64: encodeBase64, "quoted-printable": encodeQuotedPrintable };

function contentOf(body: string, type: string, encoding: keyof typeof encoders) {
  const header = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  const message = Buffer.concat([Buffer.from(header), encoders[encoding](Buffer.from(body))]);
  const asked: Range[] = [];
  const structure = walk(message);
  const bytes = async (range: Range) => {
    asked.push(range);
    return message.subarray(range.start, range.end);
  };
  const content: MessageContent = { sha256: Buffer.alloc(32), steps: [], structure, header: null, bytes };
  return { content, asked, whole: message.subarray(structure.body.start) };
}

const encodings = Object.keys(encoders) as (keyof typeof encoders)[];
test.each(encodings)("a limited value of a large part is read from its head: %s", async (encoding) => {
  const { content, asked, whole } = contentOf(line.repeat(100_000), "text/html; charset=utf-8", encoding);
  const value = await bodyValue(content, content.structure, 1000);
  expect(asked).toHaveLength(1);
  expect(asked[0]!.end - asked[0]!.start).toBeLessThan(50_000);
  expect(value).toEqual(wholeValue(whole, content.structure, 1000));
  expect(value.isTruncated).toBe(true);
});

test.each([
  ["a guessed charset", "text/plain", line],
  ["a tag longer than the head", "text/html; charset=utf-8", `<img src='${"x".repeat(40_000)}'>`],
])("where the head can't tell, the whole part does: %s", async (_, type, body) => {
  const { content, asked, whole } = contentOf(body.repeat(100), type, "8bit");
  expect(await bodyValue(content, content.structure, 1000)).toEqual(wholeValue(whole, content.structure, 1000));
  expect(asked.at(-1)).toEqual(content.structure.body);
});

test.each(encodings)("a large part is decoded away from the event loop: %s", async (encoding) => {
  const { content, whole } = contentOf(line.repeat(400_000), "text/plain; charset=utf-8", encoding);
  const before = process.threadCpuUsage();
  const value = await bodyValue(content, content.structure, 0);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1e3).toBeLessThan(150);
  expect(value.value === wholeValue(whole, content.structure, 0).value).toBe(true);
});
