import { headerEnd } from "./field.ts";

const LF = 0x0a;

/** Where each field of the header begins and ends, with the lines that continue it. */
function* fieldRanges(message: Buffer, end: number): Generator<{ start: number; end: number }> {
  let start = 0;
  for (let at = 0; at < end; ) {
    const lf = message.indexOf(LF, at);
    at = lf === -1 || lf >= end ? end : lf + 1;
    if (at < end && (message[at] === 0x20 || message[at] === 0x09)) continue;
    yield { start, end: at };
    start = at;
  }
}

/** A byte order mark may come first. */
const bcc = /^(\xef\xbb\xbf)?(resent-)?bcc[ \t]*:/i;

/** RFC 8621 §7.5: the message as it is sent, without Bcc (nor Resent-Bcc) header fields. */
export function withoutBcc(message: Buffer): Buffer {
  const end = headerEnd(message);
  const kept: Buffer[] = [];
  let from = 0;
  for (const field of fieldRanges(message, end)) {
    const start = message.toString("latin1", field.start, Math.min(field.end, field.start + 100));
    if (!bcc.test(start)) continue;
    kept.push(message.subarray(from, field.start));
    from = field.end;
  }
  return from === 0 ? message : Buffer.concat([...kept, message.subarray(from)]);
}

/** RFC 5321 §4.4: header fields in front of all others; `text` is whole fields, with or without the last line break. */
export function prependHeader(message: Uint8Array, text: string): Buffer {
  return Buffer.concat([Buffer.from(text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`, "utf8"), message]);
}
