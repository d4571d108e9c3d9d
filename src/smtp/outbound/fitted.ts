import { isAscii } from "node:buffer";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import { asciiAddress, isAsciiText } from "../../mime/ascii-address.ts";
import type { PeerAbilities } from "../../mime/transport.ts";
import { Unsendable } from "../../mime/unsendable.ts";
import { headerEnd } from "../../mime/walk.ts";
import { mailParameters, rcptParameters } from "./dsn-parameters.ts";
import type { Answer } from "./reply.ts";

type Parameters = Record<string, string | null> | null;

/** What a server announced in its reply to EHLO. */
export interface Offered extends PeerAbilities {
  /** RFC 1870: the largest message it accepts, in octets; undefined when it does not say. */
  size: number | undefined;
  /** RFC 3461 */
  dsn: boolean;
}

/** One message for the recipients of one destination. */
export interface Parcel {
  /** "" for the null sender. */
  mailFrom: string;
  recipients: string[];
  /** RFC 3461: what the sender asked for, for the message and per recipient. */
  parameters: Parameters;
  rcptParameters: ReadonlyMap<string, Parameters>;
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
  /** Parameters of MAIL besides those that nodemailer adds. */
  mailParameters: string[];
  /** Parameters of RCPT, by the recipient's address as the server gets it. */
  rcptParameters: Map<string, string[]>;
}

/** RFC 5321 §4.1.1.1 */
export function offeredBy(connection: SMTPConnection): Offered {
  const { _ehloLines: lines = [] } = connection as unknown as { _ehloLines?: string[] };
  const keywords = new Map(lines.map((line) => [line.split(/[ =]/, 1)[0]!.toUpperCase(), line]));
  const eightBit = keywords.has("8BITMIME");
  const size = Number(/^SIZE[ =](\d{1,15})$/i.exec(keywords.get("SIZE") ?? "")?.[1] ?? 0);
  const utf8 = eightBit && keywords.has("SMTPUTF8");
  return { eightBit, utf8, size: size || undefined, dsn: keywords.has("DSN") };
}

/** RFC 5321 §4.5.3.1.10, RFC 6152 §3, RFC 6531 §3.2: what can be sent to this server, or why nothing can be. */
export async function fitTo(parcel: Parcel, offered: Offered): Promise<FittedParcel | Answer> {
  const named = (address: string) => asciiAddress(address) ?? (offered.utf8 ? address : undefined);
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
    // nodemailer adds SMTPUTF8 when the envelope needs it, but not when only the header does.
    const isForHeader =
      [mailFrom, ...recipients].every(isAsciiText) && !isAscii(message.subarray(0, headerEnd(message)));
    const ofMail = [...(isForHeader ? ["SMTPUTF8"] : []), ...(offered.dsn ? mailParameters(parcel.parameters) : [])];
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
};

const failed = (smtpReply: string): Answer => ({ kind: "failed", smtpReply });

/** Adds these parameters to the commands: nodemailer takes one set for all recipients at most. */
export function sayParameters(connection: SMTPConnection, { mailParameters, rcptParameters }: FittedParcel): void {
  type Inner = { _sendCommand(text: string, ...rest: unknown[]): void };
  const { _sendCommand: send } = Object.getPrototypeOf(connection) as Inner;
  (connection as unknown as Inner)._sendCommand = (text, ...rest) => {
    const recipient = /^RCPT TO:<(.*)>$/s.exec(text)?.[1];
    const more = text.startsWith("MAIL FROM:") ? mailParameters : (rcptParameters.get(recipient ?? "") ?? []);
    send.call(connection, [text, ...more].join(" "), ...rest);
  };
}
