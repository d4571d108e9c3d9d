import { type MboxMessage, splitMbox } from "./mbox-split.ts";

/**
 * How a line of a message that begins with "From " is told from the line that parts messages. mboxo: such lines are quoted
 * by ">"; mboxrd: lines that are quoted already, too; mboxcl: as mboxo, and Content-Length says where a message ends;
 * mboxcl2: Content-Length alone.
 */
export type Dialect = "mboxo" | "mboxrd" | "mboxcl" | "mboxcl2";
export const dialects: readonly Dialect[] = ["mboxo", "mboxrd", "mboxcl", "mboxcl2"];

export const isByLength = (dialect: Dialect) => dialect === "mboxcl" || dialect === "mboxcl2";

/** Looks through the whole file: the dialect that fits all of it, and how many messages it has then. */
export async function lookAt(path: string): Promise<{ dialect: Dialect; messages: number }> {
  const seen = { messages: 0, measured: 0, bare: 0, quoted: 0, quotedTwice: 0 };
  for await (const message of splitMbox(path, true)) look(message, seen);
  if (seen.measured * 2 > seen.messages) {
    return { dialect: seen.bare === 0 && seen.quoted > 0 ? "mboxcl" : "mboxcl2", messages: seen.messages };
  }
  const dialect = seen.quotedTwice > 0 ? "mboxrd" : "mboxo";
  if (seen.measured === 0) return { dialect, messages: seen.messages };
  // Some messages had a Content-Length that was true by chance.
  let messages = 0;
  for await (const _ of splitMbox(path, false)) messages++;
  return { dialect, messages };
}

function look({ bytes, isMeasured }: MboxMessage, seen: Record<string, number>): void {
  seen.messages!++;
  if (isMeasured) seen.measured!++;
  if (!bytes?.includes("From ")) return;
  const text = bytes.toString("latin1");
  if (isMeasured && /\nFrom /.test(text)) seen.bare!++;
  if (/\n>From /.test(text)) seen.quoted!++;
  if (/\n>>+From /.test(text)) seen.quotedTwice!++;
}

/** Takes the quoting off. */
export function unquoted(message: Buffer, dialect: Dialect): Buffer {
  if (dialect === "mboxcl2" || !message.includes(">From ")) return message;
  const quoted = dialect === "mboxrd" ? /(^|\n)>(>*From )/g : /(^|\n)>(From )/g;
  return Buffer.from(message.toString("latin1").replace(quoted, "$1$2"), "latin1");
}
