import { hash } from "node:crypto";
import { cutOut } from "../../mime/envelope-fields.ts";
import { type HeaderField, readHeader } from "../../mime/field.ts";
import { type FieldPlace, scanHeader } from "../../mime/scan.ts";
import { usesBareLf, withCrlf } from "../../mime/wire-scan.ts";

/** A larger one is not brought: it would not fit into memory beside others. */
export const maxMessage = 150_000_000;

/** RFC 5322 §2.3: files of mail have the line breaks of their system. */
export function withLineBreaks(message: Buffer): Buffer {
  return usesBareLf(message) ? withCrlf(message) : message;
}

/** Takes the fields of these names out of the header: what a program noted beside the message is not part of it. */
export function takeFields(
  message: Buffer,
  isNote: (name: string) => boolean,
): { message: Buffer; notes: HeaderField[] } {
  const places: FieldPlace[] = [];
  scanHeader(message, (field) => {
    if (isNote(field.name.toLowerCase())) places.push(field);
  });
  if (places.length === 0) return { message, notes: [] };
  const { fields } = readHeader(message, (name) => isNote(name.toLowerCase()));
  return { message: cutOut(message, places), notes: fields };
}

/**
 * The key of a mail in files: by what it is and which mailbox it is for, since files are renamed and written anew, and a
 * message may be in several.
 */
export function contentKey(message: Buffer, path: readonly string[] = []): string {
  const place = hash("sha256", path.join("\0"), "hex").slice(0, 8);
  return `${place}.${hash("sha256", message, "hex").slice(0, 40)}`;
}
