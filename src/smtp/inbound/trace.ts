import { mailDate } from "../../mail/submit/mail-date.ts";

export interface Hop {
  /** The peer's name from HELO or EHLO. */
  helo: string;
  address: string;
  /** ESMTP, ESMTPS, UTF8SMTP… */
  protocol: string;
  cipher?: string;
  hostname: string;
  id: string;
  at: Date;
}

/** RFC 5321 §4.4, without the client's name and address: where users are is not for their recipients to know. */
export function submittedField({
  protocol,
  hostname,
  id,
  at,
}: Pick<Hop, "protocol" | "hostname" | "id" | "at">): string {
  return `Received: by ${hostname} with ${protocol} id ${id};\r\n ${mailDate(at)}\r\n`;
}

/** RFC 5321 §4.4. Names no recipient, so that all recipients can share one stored message. */
export function receivedField({ helo, address, protocol, cipher, hostname, id, at }: Hop): string {
  const literal = address.includes(":") ? `IPv6:${address}` : address;
  const name = /^[\w.:[\]-]{1,255}$/.test(helo) ? helo : "unknown";
  const secured = cipher ? `\r\n (${cipher})` : "";
  return `Received: from ${name} ([${literal}])${secured}\r\n by ${hostname} with ${protocol} id ${id};\r\n ${mailDate(at)}\r\n`;
}
