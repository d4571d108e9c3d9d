import { Buffer } from "node:buffer";

/** RFC 3501 §5.1.3: names of mailboxes in ASCII, as in folders of Maildir++. */
export function toModifiedUtf7(text: string): string {
  return text.replace(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === "&") return "&-";
    const bytes = Buffer.from(run, "utf16le").swap16();
    return `&${bytes.toString("base64").replace(/=+$/, "").replaceAll("/", ",")}-`;
  });
}
