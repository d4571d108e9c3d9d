/** A message as real software writes it, and what must be read from it. For tests. */
export interface Shape {
  /** The software or habit that produces it. */
  name: string;
  /** One character per byte. */
  raw: string;
  want: Wanted;
  /** The properties that mailparser reads differently, and why. */
  unlike?: Partial<Record<Compared, string>>;
}

/** The properties that are compared with mailparser's reading. */
export type Compared = "subject" | "from" | "to" | "cc" | "text";

/** Absent properties are not checked. */
export interface Wanted {
  subject?: string | null;
  /** Addresses as `Name <email>`, or the email alone without a name; " | " between them. */
  from?: string;
  to?: string;
  cc?: string;
  sender?: string;
  replyTo?: string;
  sentAt?: string | null;
  messageId?: string[] | null;
  inReplyTo?: string[] | null;
  references?: string[] | null;
  /** As `type;charset"name"@disposition#cid`, what is null and the charset us-ascii left out; parts in parentheses. */
  structure?: string;
  /** Part ids, separated by blanks. */
  textBody?: string;
  htmlBody?: string;
  attachments?: string;
  /** Part id → text. */
  values?: Record<string, string>;
  /** Ids of the `values` that have isEncodingProblem. */
  problems?: string;
  hasAttachment?: boolean;
  preview?: string;
}

function lines(strings: TemplateStringsArray, values: string[], end: string): string {
  return strings.reduce((text, piece, index) => text + values[index - 1]! + piece).replaceAll("\n", end);
}

/** Joins lines to a message; each ends with CRLF. */
export const mail = (strings: TemplateStringsArray, ...values: string[]): string => lines(strings, values, "\r\n");

/** Joins lines with bare LF, as from a Unix pipe. */
export const unix = (strings: TemplateStringsArray, ...values: string[]): string => lines(strings, values, "\n");

/** The UTF-8 bytes of a text, one character each. */
export const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
