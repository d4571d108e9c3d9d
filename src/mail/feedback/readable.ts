import { decodePart, decodeTransfer, rawBody } from "../../mime/decode.ts";
import { type HeaderField, parseHeader } from "../../mime/headers.ts";
import { htmlToText } from "../../mime/html.ts";
import { leaves, type Part } from "../../mime/structure.ts";
import type { Judged } from "./feedback.ts";

/** How much of a part is read: reports say the essential first. */
const maxBytes = 65_536;

/** The content of a part, its first 64 KiB at most. */
export function bytesOf({ message }: Judged, part: Part): Buffer {
  return decodeTransfer(rawBody(message, part).subarray(0, maxBytes), part.encoding);
}

/** What a person reads of the message: its first text, or its first HTML without the tags. */
export function readableText(judged: Judged): string {
  const parts = leaves(judged.summary.structure);
  const part = parts.find(({ type }) => type === "text/plain") ?? parts.find(({ type }) => type === "text/html");
  if (!part) return "";
  const { text } = decodePart(bytesOf(judged, part), part);
  return (part.type === "text/html" ? htmlToText(text) : text).replaceAll("\r\n", "\n");
}

/** The fields of the message's header, with names in lower case and values on one line. */
export function headerOf({ message, summary }: Judged): HeaderField[] {
  const { start, end } = summary.structure.header;
  return parseHeader(message.subarray(start, end)).map(({ name, value }) => ({
    name: name.toLowerCase(),
    value: value.replace(/\r?\n/g, "").trim(),
  }));
}

export const fieldValue = (fields: readonly HeaderField[], name: string): string | undefined =>
  fields.find((field) => field.name === name)?.value;

/** Fields of a body part such as message/delivery-status (RFC 3464 §2.1), in blocks parted by empty lines. */
export function fieldBlocks(text: string): Map<string, string>[] {
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n[ \t]*\n+/)
    .map((block) => {
      const lines = block.replace(/\n[ \t]+/g, " ").split("\n");
      const fields = lines.flatMap((line): [string, string][] => {
        const [, name, value] = /^([\w-]{1,60})[ \t]*:[ \t]*(.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name.toLowerCase(), value!.trim()]];
      });
      return new Map(fields.reverse());
    })
    .filter((fields) => fields.size > 0);
}
