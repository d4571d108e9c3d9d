import { type FieldPlace, type ScanOptions, scanHeader, valueAt } from "./scan.ts";

/** RFC 8621 §4.1.3: `value` is the Raw form, what follows the colon up to the final line break. */
export interface HeaderField {
  name: string;
  value: string;
}

const ignore = (): void => {};

/**
 * RFC 5322 §2.1: the end of the header block that starts at `start`: after the line break of its last line, before the
 * empty line. A block whose first line is not a header field is empty, and the body starts at once.
 */
export function headerEnd(message: Uint8Array, start = 0): number {
  return scanHeader(message, ignore, { start });
}

/**
 * RFC 8621 §4.1.2.1: the fields of a header block (or of a whole message) in order, in Raw form. There may be very
 * many, so fields that `keep` rejects cost nothing.
 */
export function parseHeader(bytes: Uint8Array, keep?: (name: string) => boolean): HeaderField[] {
  return readHeader(bytes, keep).fields;
}

/** As `parseHeader`, and where the header ends. */
export function readHeader(
  bytes: Uint8Array,
  keep?: (name: string) => boolean,
  options?: ScanOptions,
): { fields: HeaderField[]; end: number } {
  const fields: HeaderField[] = [];
  const take = (place: FieldPlace): void => {
    if (!keep || keep(place.name)) fields.push({ name: place.name, value: valueAt(bytes, place) });
  };
  const end = scanHeader(bytes, take, options);
  return { fields, end };
}

/** RFC 5322 §2.2.3: removes the line breaks and keeps the white space after them. */
export function unfold(raw: string): string {
  return raw.includes("\n") ? raw.replace(/\r?\n/g, "") : raw;
}

const isNamed = (wanted: string) => (field: HeaderField) =>
  field.name.length === wanted.length && field.name.toLowerCase() === wanted;

/** The last field of that name, or undefined. */
export function lastField(fields: HeaderField[], name: string): HeaderField | undefined {
  return fields.findLast(isNamed(name.toLowerCase()));
}

/** All fields of that name, in order. */
export function fieldsNamed(fields: HeaderField[], name: string): HeaderField[] {
  return fields.filter(isNamed(name.toLowerCase()));
}
