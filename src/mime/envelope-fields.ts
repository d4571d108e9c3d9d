import { scanHeader } from "./scan.ts";
import type { Range } from "./structure.ts";

const hidden = /^(resent-)?bcc$/i;

/** RFC 8621 §7.5: the message as it is sent, without Bcc (nor Resent-Bcc) header fields. */
export function withoutBcc(message: Buffer): Buffer {
  const places: Range[] = [];
  scanHeader(message, (field) => {
    if (hidden.test(field.name)) places.push(field);
  });
  return cutOut(message, places);
}

/** The message without these ranges of octets, which must be in order. */
export function cutOut(message: Buffer, ranges: readonly Range[]): Buffer {
  if (ranges.length === 0) return message;
  const kept: Buffer[] = [];
  let from = 0;
  for (const { start, end } of ranges) {
    kept.push(message.subarray(from, start));
    from = end;
  }
  return Buffer.concat([...kept, message.subarray(from)]);
}

/**
 * RFC 5321 §4.4: puts header fields in front of all others. `text`: whole fields, with or without the last line break.
 */
export function prependHeader(message: Uint8Array, text: string): Buffer {
  return Buffer.concat([Buffer.from(text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`, "utf8"), message]);
}
