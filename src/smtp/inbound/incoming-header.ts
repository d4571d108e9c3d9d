import { normalizeAddress } from "../../base/address.ts";
import { forgedResults } from "../../mail/submit/forged-results.ts";
import { cutOut } from "../../mime/envelope-fields.ts";
import { type FieldPlace, scanHeader, valueAt } from "../../mime/scan.ts";
import type { Range } from "../../mime/structure.ts";

/**
 * What checks need to know about the header of an incoming message, as a client will read it behind our trace fields.
 */
export interface IncomingHeader {
  /** The values of its From fields. */
  from: string[];
  /** The From fields hold more than can be judged. */
  isFromExcessive: boolean;
  isSigned: boolean;
  /** RFC 8617: it has fields of ARC. */
  isSealed: boolean;
  /** The first Message-ID, for logs. */
  messageId?: string;
  /** RFC 7960 §3: the header shows that a list or a forwarder passed the message on. */
  isPassedOn: boolean;
  /** RFC 5321 §6.3: the message has been passed on so often that it must be looping. */
  isLooping: boolean;
  /** By which addresses it was sent on, in lower case. */
  deliveredTo: string[];
  /** RFC 8601 §5: Authentication-Results that a sender wrote in our name. */
  forged: Range[];
  /** The header holds nothing but fields, so every parser reads it alike. */
  isPlain: boolean;
  end: number;
}

const maxOwnHops = 10;
const maxReceived = 50;
const maxFrom = 10;
const maxDeliveredTo = 50;
const maxMessageIdLength = 500;
const maxFromLength = 2_000_000;
const maxHeaderLength = 256_000;
const maxLines = 4_000;
const maxGap = 1_000;

const passingOn = /^(list-.+|arc-seal|resent-.+|x-forwarded-.+|mailing-list|precedence)$/;

/** Reads the header in one pass, however long it is. */
export function readIncomingHeader(message: Buffer, hostname: string): IncomingHeader {
  const from: string[] = [];
  const forged: Range[] = [];
  const deliveredTo: string[] = [];
  let messageId: string | undefined;
  const header = {
    from,
    isFromExcessive: false,
    isSigned: false,
    isSealed: false,
    isPassedOn: false,
    forged,
    deliveredTo,
  };
  const hops = { received: 0, ours: 0 };
  const byUs = new RegExp(`\\bby\\s+${hostname.replace(/[^\w-]/g, "\\$&")}(?=[\\s;(]|$)`, "i");
  let room = maxFromLength;
  let isPlain = true;
  let last = 0;
  const isForged = forgedResults(message, hostname);
  const take = (field: FieldPlace): void => {
    const { start, value, end } = field;
    const name = field.name.toLowerCase();
    if (name.startsWith("arc-")) header.isSealed = true;
    if (start !== last || message[start] === mark) isPlain = false;
    last = end;
    if (name === "from") {
      room -= end - value;
      if (room < 0 || from.length === maxFrom) header.isFromExcessive = true;
      else from.push(valueAt(message, field));
    } else if (name === "received") {
      hops.received++;
      if (hops.received <= maxReceived && byUs.test(message.toString("latin1", value, end))) hops.ours++;
    } else if (isForged(field)) forged.push({ start, end });
    else if (name === "message-id") messageId ??= valueAt(message, field).trim().slice(0, maxMessageIdLength);
    else if (name === "dkim-signature") header.isSigned = true;
    else if (name === "delivered-to" && deliveredTo.length < maxDeliveredTo) {
      const address = normalizeAddress(valueAt(message, field));
      if (address !== undefined) deliveredTo.push(address);
    } else if (passingOn.test(name)) {
      header.isPassedOn ||= name !== "precedence" || /^\s*list\b/i.test(valueAt(message, field));
    }
  };
  const end = scanHeader(message, take, { isContinued: true });
  return {
    ...header,
    ...(messageId !== undefined && { messageId }),
    isLooping: hops.received > maxReceived || hops.ours > maxOwnHops,
    isPlain: isPlain && last === end && message.subarray(0, end).indexOf(0) === -1 && forged.length === 0,
    end,
  };
}

const noBody = Buffer.alloc(0);
/** The first octet of a byte order mark; no field name begins with it. */
const mark = 0xef;

/** True for a header that would take long to verify: the verifier is slow on long fields and on runs of white space. */
export function isOverlong(message: Buffer, { end }: { end: number }): boolean {
  if (end > maxHeaderLength) return true;
  const header = message.toString("latin1", 0, end);
  // A pattern with a repeat count would start again at every character.
  if (header.match(/\s+/g)?.some((gap) => gap.length >= maxGap)) return true;
  let lines = 0;
  for (const line of header.split("\n")) {
    lines = /^[ \t]/.test(line) ? lines + 1 : 0;
    if (lines > maxLines) return true;
  }
  return false;
}

/**
 * What is verified of the message: with a header that every parser reads as our clients do, fields and nothing else. A signature
 * verifier would read a line that is not a field as part of the field before it, and would look up names with NUL in them. Without
 * signatures it looks at the header alone.
 */
export function plainly(message: Buffer, { isPlain, isSigned, isSealed, forged, end }: IncomingHeader): Buffer {
  const body = isSigned || isSealed ? message.subarray(end) : noBody;
  if (isPlain) return body === noBody ? message.subarray(0, end) : message;
  const gone = new Set(forged.map(({ start }) => start));
  const kept: Buffer[] = [];
  const take = ({ name, start, value, end: fieldEnd }: FieldPlace): void => {
    if (gone.has(start)) return;
    const text = message.toString("latin1", value, fieldEnd).replaceAll("\0", "");
    kept.push(Buffer.from(`${name}:${text}`, "latin1"));
  };
  scanHeader(message, take, { isContinued: true });
  return Buffer.concat([...kept, body]);
}

/** RFC 8601 §5: the message as we store it, without the forged results. */
export function withoutForged(message: Buffer, { forged }: IncomingHeader): Buffer {
  return cutOut(message, forged);
}
