import { isAscii } from "node:buffer";
import { asciiAddress, isAsciiText } from "../../mime/ascii-address.ts";
import type { PeerAbilities } from "../../mime/transport.ts";
import { Unsendable } from "../../mime/unsendable.ts";
import { headerEnd } from "../../mime/walk.ts";
import { mailParameters, rcptParameters } from "./dsn-parameters.ts";
import type { Answer } from "./reply.ts";
import type { TlsWish } from "./tls-rules.ts";

type Parameters = Record<string, string | null> | null;

/** What a server announced in its reply to EHLO. */
export interface Offered extends PeerAbilities {
  /** RFC 1870: the largest message it accepts, in octets; undefined when it does not say. */
  size: number | undefined;
  /** RFC 3461 */
  dsn: boolean;
  /** RFC 2920 */
  pipelining: boolean;
  /** RFC 3207 */
  startTls: boolean;
  /** RFC 8689 */
  requireTls: boolean;
  /** RFC 4954: the mechanisms, in capitals. */
  authentication: string[];
}

/** One message for the recipients of one destination. */
export interface Parcel {
  /** "" for the null sender. */
  mailFrom: string;
  recipients: string[];
  /** RFC 3461: what the sender asked for, for the message and per recipient. */
  parameters: Parameters;
  rcptParameters: ReadonlyMap<string, Parameters>;
  /** RFC 8689. (Default: as the recipient's domain asks) */
  tlsWish?: TlsWish | undefined;
  /** The signed message in a form that the server accepts. Throws Unsendable. */
  messageFor(peer: PeerAbilities): Promise<Buffer>;
}

/** The parcel as one server gets it. */
export interface FittedParcel {
  mailFrom: string;
  /** The recipients that can be named to this server. */
  recipients: string[];
  /** For each recipient of the parcel, its index in `recipients`; -1 if it cannot be named. */
  places: number[];
  message: Buffer;
  /** All parameters of MAIL. */
  mailParameters: string[];
  /** All parameters of RCPT, by the recipient's address as the server gets it. */
  rcptParameters: Map<string, string[]>;
}

/** RFC 5321 §4.1.1.1: what the reply to EHLO says. */
export function offeredBy(reply: string): Offered {
  const lines = reply.split("\r\n").slice(1);
  const keywords = new Map(lines.map((line) => [/^[^ =]*/.exec(line.slice(4))![0].toUpperCase(), line.slice(4)]));
  const eightBit = keywords.has("8BITMIME");
  const size = Number(/^SIZE[ =](\d{1,15})$/i.exec(keywords.get("SIZE") ?? "")?.[1] ?? 0);
  return {
    eightBit,
    utf8: eightBit && keywords.has("SMTPUTF8"),
    size: size || undefined,
    dsn: keywords.has("DSN"),
    pipelining: keywords.has("PIPELINING"),
    startTls: keywords.has("STARTTLS"),
    requireTls: keywords.has("REQUIRETLS"),
    authentication: keywords.get("AUTH")?.toUpperCase().split(/[ =]/).slice(1) ?? [],
  };
}

/** No submission has such an address; in a command it would end the path, or the line. */
const unsafe = /[<>\x00-\x1f\x7f]/;

/** RFC 5321 §4.5.3.1.10, RFC 6152 §3, RFC 6531 §3.2: what can be sent to this server, or why nothing can be. */
export async function fitTo(parcel: Parcel, offered: Offered): Promise<FittedParcel | Answer> {
  const named = (address: string) =>
    unsafe.test(address) ? undefined : (asciiAddress(address) ?? (offered.utf8 ? address : undefined));
  const mailFrom = named(parcel.mailFrom);
  if (mailFrom === undefined) return failed("550 5.6.7 the server takes no sender's address that is not ASCII");
  const places: number[] = [];
  const recipients: string[] = [];
  const ofRcpt = new Map<string, string[]>();
  for (const given of parcel.recipients) {
    const recipient = named(given);
    places.push(recipient === undefined ? -1 : recipients.length);
    if (recipient === undefined) continue;
    recipients.push(recipient);
    if (offered.dsn) ofRcpt.set(recipient, rcptParameters(parcel.rcptParameters.get(given) ?? null));
  }
  try {
    const message = await parcel.messageFor(offered);
    if (offered.size !== undefined && message.length > offered.size) {
      return failed(`552 5.3.4 the message has ${message.length} octets, and the server takes ${offered.size} at most`);
    }
    const needsUtf8 =
      ![mailFrom, ...recipients].every(isAsciiText) || !isAscii(message.subarray(0, headerEnd(message)));
    const ofMail = [
      ...(offered.size === undefined ? [] : [`SIZE=${message.length}`]),
      ...(isAscii(message) ? [] : ["BODY=8BITMIME"]),
      ...(needsUtf8 ? ["SMTPUTF8"] : []),
      ...(offered.dsn ? mailParameters(parcel.parameters) : []),
      ...(parcel.tlsWish === "required" ? ["REQUIRETLS"] : []),
    ];
    return { mailFrom, recipients, places, message, mailParameters: ofMail, rcptParameters: ofRcpt };
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    return failed(`550 ${error.status} the message cannot be put into a form that the server takes: ${error.message}`);
  }
}

/** RFC 6531 §3.5, RFC 5248: the answer for a recipient that cannot be named to the server. */
export const unnamable: Answer = {
  kind: "failed",
  smtpReply: "553 5.6.7 the server takes no recipient's address that is not ASCII",
  cause: "build",
};

const failed = (smtpReply: string): Answer => ({ kind: "failed", smtpReply, cause: "build" });
