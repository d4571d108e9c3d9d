import { mailDate } from "../../mail/submit/mail-date.ts";

const lf = 0x0a;

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
