import { isAscii } from "node:buffer";

/** RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6: octets of a line without its CRLF. */
export const maxLineOctets = 998;

/** Why octets cannot be sent over SMTP, or not to every server. */
export interface WireFaults {
  nul: boolean;
  /** A CR or LF that is not part of a CRLF. */
  bareBreak: boolean;
  longLine: boolean;
  /** RFC 6152: needs 8BITMIME. */
  eightBit: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** RFC 5321 §2.3.8, RFC 2045 §2.7 to §2.9: examines each octet once, mostly by native search. */
export function wireFaults(bytes: Buffer): WireFaults {
  let start = 0;
  let bareBreak = false;
  let longLine = false;
  for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, start)) {
    const isPaired = lf > 0 && bytes[lf - 1] === CR;
    if (!isPaired) bareBreak = true;
    if (lf - start - (isPaired ? 1 : 0) > maxLineOctets) longLine = true;
    start = lf + 1;
  }
  if (bytes.length - start > maxLineOctets) longLine = true;
  for (let cr = bytes.indexOf(CR); cr !== -1 && !bareBreak; cr = bytes.indexOf(CR, cr + 1)) {
    bareBreak = bytes[cr + 1] !== LF;
  }
  return { nul: bytes.includes(0), bareBreak, longLine, eightBit: !isAscii(bytes) };
}

/** True when a server with this ability can be sent these octets. */
export function isCarried(faults: WireFaults, eightBit: boolean): boolean {
  return !faults.nul && !faults.bareBreak && !faults.longLine && (eightBit || !faults.eightBit);
}

/** The identity encoding that describes sendable octets correctly (RFC 2045 §6.2). */
export function identityOf({ eightBit }: WireFaults): "7bit" | "8bit" {
  return eightBit ? "8bit" : "7bit";
}

/** RFC 5322 §2.3: bare LF becomes CRLF. */
export function withCrlf(bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  return Buffer.from(text.replace(/(?<!\r)\n/g, "\r\n"), "latin1");
}

/** As `withCrlf`; returns the same object if nothing changes. */
export const withCrlfIfBare = (bytes: Buffer): Buffer => (wireFaults(bytes).bareBreak ? withCrlf(bytes) : bytes);

/** True when the first line ends in LF alone: then the whole message counts as having LF line breaks. */
export function usesBareLf(message: Uint8Array): boolean {
  const lf = message.indexOf(LF);
  return lf !== -1 && message[lf - 1] !== CR;
}
