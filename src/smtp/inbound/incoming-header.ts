import { forgedResults } from "../../mail/submit/forged-results.ts";
import { cutOut } from "../../mime/envelope-fields.ts";
import { type FieldPlace, scanHeader, valueAt } from "../../mime/scan.ts";
import type { Range } from "../../mime/structure.ts";

/** What is to be known of the header of a message that comes in, as a client will read it behind our trace fields. */
export interface IncomingHeader {
  /** The values of its From fields. */
  from: string[];
  /** There is more in its From fields than can be judged. */
  isFromExcessive: boolean;
  isSigned: boolean;
  /** RFC 7960 §3: a list or a forwarder says that it passed the message on. */
  isPassedOn: boolean;
  /** RFC 5321 §6.3: it has been passed on so often that it must be going round. */
  isLooping: boolean;
  /** RFC 8601 §5: results in our name. */
  forged: Range[];
  /** It is nothing but fields, so that everybody reads it alike. */
  isPlain: boolean;
  end: number;
}

const mostLoops = 10;
const mostReceived = 50;
const mostFrom = 10;
const longestFrom = 2_000_000;
const largestHeader = 256_000;
const mostLines = 4_000;
const longestGap = 1_000;

const passingOn = /^(list-.+|arc-seal|resent-.+|x-forwarded-.+|mailing-list|precedence)$/;

/** In one pass, however long the header is. */
export function readIncomingHeader(message: Buffer, hostname: string): IncomingHeader {
  const from: string[] = [];
  const forged: Range[] = [];
  const header = { from, isFromExcessive: false, isSigned: false, isPassedOn: false, forged };
  const hops = { received: 0, ours: 0 };
  const byUs = new RegExp(`\\bby\\s+${hostname.replace(/[^\w-]/g, "\\$&")}(?=[\\s;(]|$)`, "i");
  let room = longestFrom;
  let isPlain = true;
  let last = 0;
  const isForged = forgedResults(message, hostname);
  const take = (field: FieldPlace): void => {
    const { start, value, end } = field;
    const name = field.name.toLowerCase();
    if (start !== last || message[start] === mark) isPlain = false;
    last = end;
    if (name === "from") {
      room -= end - value;
      if (room < 0 || from.length === mostFrom) header.isFromExcessive = true;
      else from.push(valueAt(message, field));
    } else if (name === "received") {
      hops.received++;
      if (hops.received <= mostReceived && byUs.test(message.toString("latin1", value, end))) hops.ours++;
    } else if (isForged(field)) forged.push({ start, end });
    else if (name === "dkim-signature") header.isSigned = true;
    else if (passingOn.test(name)) {
      header.isPassedOn ||= name !== "precedence" || /^\s*list\b/i.test(valueAt(message, field));
    }
  };
  const end = scanHeader(message, take, { isContinued: true });
  return {
    ...header,
    isLooping: hops.received > mostReceived || hops.ours > mostLoops,
    isPlain: isPlain && last === end && message.subarray(0, end).indexOf(0) === -1 && forged.length === 0,
    end,
  };
}

/** The first octet of a byte order mark; no name begins with it. */
const mark = 0xef;

/** A header that would take long to verify: what reads signatures is slow on long fields and on runs of white space. */
export function isOverlong(message: Buffer, { end }: { end: number }): boolean {
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

/**
 * The message whose header everybody reads as our clients do: its fields and nothing else. A verifier of signatures
 * would take a line that is no field for a part of the field before, and look for names with NUL in them.
 */
export function plainly(message: Buffer, { isPlain, forged, end }: IncomingHeader): Buffer {
  if (isPlain) return message;
  const gone = new Set(forged.map(({ start }) => start));
  const kept: Buffer[] = [];
  const take = ({ name, start, value, end: fieldEnd }: FieldPlace): void => {
    if (gone.has(start)) return;
    const text = message.toString("latin1", value, fieldEnd).replaceAll("\0", "");
    kept.push(Buffer.from(`${name}:${text}`, "latin1"));
  };
  scanHeader(message, take, { isContinued: true });
  return Buffer.concat([...kept, message.subarray(end)]);
}

/** What is kept of the message: RFC 8601 §5. */
export function withoutForged(message: Buffer, { forged }: IncomingHeader): Buffer {
  return cutOut(message, forged);
}
