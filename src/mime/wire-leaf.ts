import { encodeBase64 } from "./base64.ts";
import type { Part } from "./structure.ts";
import { decodeTransfer, encodeQuotedPrintable, encodeText } from "./transfer.ts";
import { Unsendable } from "./unsendable.ts";
import { identityOf, isCarried, type WireFaults, wireFaults, withCrlf } from "./wire-scan.ts";

/** The new form of a part's body, and the transfer encoding that its header must name. */
export interface WireBody {
  bytes: Buffer;
  /** Undefined: the header is still correct. */
  encoding?: string;
  type?: string;
}

export interface LeafRules {
  eightBit: boolean;
  /** The lines of the message end in LF alone. */
  isLf: boolean;
}

const CRLF = Buffer.from("\r\n");

/** RFC 2045 §6: the content of one part, re-encoded if it cannot be sent unchanged. Throws Unsendable. */
export function wireLeaf(raw: Buffer, part: Part, { eightBit, isLf }: LeafRules): WireBody {
  const { encoding, type } = part;
  if (encoding === "base64" || encoding === "quoted-printable") {
    const bytes = isLf ? withCrlf(raw) : raw;
    if (isCarried(wireFaults(bytes), eightBit)) return { bytes };
    const content = decodeTransfer(bytes, encoding);
    return { bytes: encoding === "base64" ? encodeBase64(content) : encodeQuotedPrintable(content), encoding };
  }
  const bytes = lineEnds(raw, part, isLf);
  const faults = wireFaults(bytes);
  if (isCarried(faults, eightBit))
    return isRight(encoding, faults) ? { bytes } : { bytes, encoding: identityOf(faults) };
  if (encoding === "unknown") {
    throw new Unsendable("5.6.3", `a part of type ${type} has an encoding that cannot be changed`, ["bodyStructure"]);
  }
  return encoded(bytes, type);
}

/** Only "binary" is too much for SMTP; any other label stays as chosen. */
const isRight = (encoding: Part["encoding"], { eightBit }: WireFaults): boolean =>
  encoding === "8bit" || encoding === "unknown" || (encoding === "7bit" && !eightBit);

/** RFC 2046 §4.1.1: text with LF line breaks gets CRLF, and so does text in a message with LF line ends. */
function lineEnds(raw: Buffer, { type, encoding, disposition }: Part, isLf: boolean): Buffer {
  if (!wireFaults(raw).bareBreak) return raw;
  const isText = type.startsWith("text/") && disposition !== "attachment";
  const isLines = isLf ? isText || encoding !== "binary" : isText && !raw.includes(CRLF);
  return isLines ? withCrlf(raw) : raw;
}

function encoded(bytes: Buffer, type: string): WireBody {
  return type.startsWith("text/") ? encodeText(bytes) : { bytes: encodeBase64(bytes), encoding: "base64" };
}
