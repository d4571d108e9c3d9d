import { mailDate } from "../../mail/mail-date.ts";
import { asAddresses } from "../../mime/headers.ts";

/** A header field: bytes [start, end) of the message, its lines included. */
interface FieldRange {
  name: string;
  start: number;
  /** Where its value begins. */
  value: number;
  end: number;
}

const lf = 0x0a;
const mostLoops = 10;
const mostReceived = 50;
const largestHeader = 256_000;
const mostLines = 4_000;
const longestGap = 1_000;
const mostSenders = 50;

/** The fields of a message's header, as far as it reads like one. */
function headerFields(message: Buffer): FieldRange[] {
  const fields: FieldRange[] = [];
  for (let start = 0; start < message.length; ) {
    const newline = message.indexOf(lf, start);
    const end = newline < 0 ? message.length : newline + 1;
    const first = message[start];
    if (first === 0x0d || first === lf) break;
    const last = fields.at(-1);
    if (first === 0x20 || first === 0x09) {
      if (last) last.end = end;
    } else {
      const match = /^([\x21-\x39\x3b-\x7e]{1,100})[ \t]*:/.exec(
        message.toString("latin1", start, Math.min(end, start + 110)),
      );
      if (!match) break;
      fields.push({ name: match[1]!.toLowerCase(), start, value: start + match[0].length, end });
    }
    start = end;
  }
  return fields;
}

/** What a sender wrote about us stands in no message that we pass on (RFC 8601 §5). */
export function withoutForgedResults(message: Buffer, hostname: string): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (const field of headerFields(message)) {
    if (field.name !== "authentication-results") continue;
    const text = withoutComments(message.toString("latin1", field.value, field.end));
    const [authority = ""] = text.trim().split(/[\s;]/);
    if (authority.replace(/^"|"$/g, "").toLowerCase() !== hostname.toLowerCase()) continue;
    kept.push(message.subarray(from, field.start));
    from = field.end;
  }
  return from === 0 ? message : Buffer.concat([...kept, message.subarray(from)]);
}

function withoutComments(text: string): string {
  let depth = 0;
  let plain = "";
  for (const char of text) {
    if (char === "(") depth++;
    else if (depth === 0) plain += char;
    else if (char === ")") depth--;
  }
  return plain;
}

/** A header that would take long to judge: what reads signatures is slow on long fields and on runs of white space. */
export function isOverlong(message: Buffer): boolean {
  const ends = ["\n\r\n", "\n\n"].map((end) => message.indexOf(end)).filter((at) => at >= 0);
  const end = Math.min(...ends, message.length);
  if (end > largestHeader) return true;
  const header = message.toString("latin1", 0, end);
  // Not by a pattern of so many: it would begin again at each of them.
  if (header.match(/\s+/g)?.some((gap) => gap.length >= longestGap)) return true;
  let lines = 0;
  for (const line of header.split("\n")) {
    lines = /^[ \t]/.test(line) ? lines + 1 : 0;
    if (lines > mostLines) return true;
  }
  return false;
}

/** A message of nothing but its From; where that is too long itself, of the addresses that clients will see in it. */
export function senderFields(message: Buffer): Buffer {
  const from = headerFields(message).filter(({ name }) => name === "from");
  const whole = Buffer.concat([...from.map(({ start, end }) => message.subarray(start, end)), Buffer.from("\r\n")]);
  if (!isOverlong(whole)) return whole;
  const addresses = from
    .flatMap(({ value, end }) => asAddresses(message.toString("utf8", value, end)))
    .map(({ email }) => email)
    .filter((email) => /^[^\s<>"(),:;@]{1,64}@[^\s<>"(),:;@]{1,255}$/.test(email))
    .slice(0, mostSenders);
  const field = addresses.length > 0 ? `From: ${addresses.map((email) => `<${email}>`).join(", ")}\r\n` : "";
  return Buffer.from(`${field}\r\n`);
}

/** RFC 5321 §6.3: true when the message has been passed on so often that it must be going round. */
export function isLooping(message: Buffer, hostname: string): boolean {
  const received = headerFields(message).filter((field) => field.name === "received");
  const byUs = new RegExp(`\\bby\\s+${hostname.replace(/[^\w-]/g, "\\$&")}(?=[\\s;(]|$)`, "i");
  const ours = received.filter((field) => byUs.test(message.toString("latin1", field.value, field.end)));
  return received.length > mostReceived || ours.length > mostLoops;
}

/**
 * An end of data that other servers might see where we see text: a dot alone between line ends that are not both
 * CRLF. Whoever sends one means to smuggle a second message past a server that reads it differently.
 */
export function isSmuggling(message: Buffer): boolean {
  for (let at = 1; at < message.length; at++) {
    // Byte by byte: a search for each dot takes a second for a message of dots.
    if (message[at] !== 0x2e) continue;
    const before = message[at - 1];
    const after = message[at + 1];
    if ((before !== lf && before !== 0x0d) || (after !== lf && after !== 0x0d)) continue;
    const crlfBefore = before === lf && message[at - 2] === 0x0d;
    const crlfAfter = after === 0x0d && message[at + 2] === lf;
    if (!crlfBefore || !crlfAfter) return true;
  }
  return false;
}

export interface Hop {
  /** What the peer called itself. */
  helo: string;
  address: string;
  /** ESMTP, ESMTPS, UTF8SMTP… */
  protocol: string;
  cipher?: string;
  hostname: string;
  id: string;
  at: Date;
}

/** RFC 5321 §4.4. Names no recipient, so that all of them can share one message. */
export function receivedField({ helo, address, protocol, cipher, hostname, id, at }: Hop): string {
  const literal = address.includes(":") ? `IPv6:${address}` : address;
  const name = /^[\w.:[\]-]{1,255}$/.test(helo) ? helo : "unknown";
  const secured = cipher ? `\r\n (${cipher})` : "";
  return `Received: from ${name} ([${literal}])${secured}\r\n by ${hostname} with ${protocol} id ${id};\r\n ${mailDate(at)}\r\n`;
}
