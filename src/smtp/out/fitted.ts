import { isAscii } from "node:buffer";
import type SMTPConnection from "nodemailer/lib/smtp-connection";
import { asciiAddress } from "../../mime/ascii-address.ts";
import type { PeerAbilities } from "../../mime/transport.ts";
import { Unsendable } from "../../mime/unsendable.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { Answer } from "./reply.ts";

/** What a server said after EHLO. */
export interface Offered extends PeerAbilities {
  /** RFC 1870: octets it takes; undefined where it does not say. */
  size: number | undefined;
}

/** One message to the recipients of one destination. */
export interface Parcel {
  /** "" for the null sender. */
  mailFrom: string;
  recipients: string[];
  /** The message in a form for a server, signed. Throws Unsendable. */
  messageFor(peer: PeerAbilities): Promise<Buffer>;
}

/** The same as it is said to one server. */
export interface FittedParcel {
  mailFrom: string;
  /** In the order of the parcel's; undefined for one that cannot be named to this server. */
  recipients: (string | undefined)[];
  message: Buffer;
  /** RFC 6531 §3.4: MAIL must say so. */
  needsUtf8: boolean;
}

/** RFC 5321 §4.1.1.1 */
export function offeredBy(connection: SMTPConnection): Offered {
  const { _ehloLines: lines = [] } = connection as unknown as { _ehloLines?: string[] };
  const keywords = new Map(lines.map((line) => [line.split(/[ =]/, 1)[0]!.toUpperCase(), line]));
  const eightBit = keywords.has("8BITMIME");
  const size = Number(/^SIZE[ =](\d{1,15})$/i.exec(keywords.get("SIZE") ?? "")?.[1] ?? 0);
  return { eightBit, utf8: eightBit && keywords.has("SMTPUTF8"), size: size || undefined };
}

/** RFC 5321 §4.5.3.1.10, RFC 6152 §3, RFC 6531 §3.2: what can be sent to this server, or why nothing can. */
export async function fitTo(parcel: Parcel, offered: Offered): Promise<FittedParcel | Answer> {
  const take = (address: string) => asciiAddress(address) ?? (offered.utf8 ? address : undefined);
  const mailFrom = take(parcel.mailFrom);
  if (mailFrom === undefined) return failed("550 5.6.7 the server takes no sender's address that is not ASCII");
  const recipients = parcel.recipients.map(take);
  try {
    const message = await parcel.messageFor(offered);
    if (offered.size !== undefined && message.length > offered.size) {
      return failed(`552 5.3.4 the message has ${message.length} octets, and the server takes ${offered.size} at most`);
    }
    const header = message.subarray(0, headerEnd(message));
    const isPlain = [mailFrom, ...recipients].every((address) => isAscii(Buffer.from(address ?? "")));
    return { mailFrom, recipients, message, needsUtf8: !isPlain || !isAscii(header) };
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    return failed(`550 ${error.status} the message cannot be put into a form that the server takes: ${error.message}`);
  }
}

/** RFC 6531 §3.5, RFC 5248: of a recipient that cannot be named to the server. */
export const unnamable: Answer = {
  kind: "failed",
  smtpReply: "553 5.6.7 the server takes no recipient's address that is not ASCII",
};

const failed = (smtpReply: string): Answer => ({ kind: "failed", smtpReply });

/** nodemailer says SMTPUTF8 for the sake of the envelope, and not of the header. */
export function sayUtf8(connection: SMTPConnection): void {
  const inner = connection as unknown as { _sendCommand(text: string, ...rest: unknown[]): void };
  const send = inner._sendCommand.bind(connection);
  inner._sendCommand = (text, ...rest) => {
    const isMail = text.startsWith("MAIL FROM:") && !text.endsWith("SMTPUTF8") && !text.includes(" SMTPUTF8 ");
    send(isMail ? `${text} SMTPUTF8` : text, ...rest);
  };
}
