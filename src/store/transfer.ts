import libbase64 from "libbase64";
import libqp from "libqp";

/** Tolerant of line ends, stray characters and missing padding. */
export function decodeBase64(bytes: Buffer): Buffer {
  return libbase64.decode(bytes.toString("latin1"));
}

export function decodeQuotedPrintable(bytes: Buffer): Buffer {
  return libqp.decode(bytes.toString("latin1"));
}
