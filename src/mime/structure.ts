/** Where bytes are: [start, end) offsets into the message. */
export interface Range {
  start: number;
  end: number;
}

export type TransferEncoding = "7bit" | "8bit" | "binary" | "base64" | "quoted-printable" | "uuencode" | "unknown";

/** RFC 8621 §4.1.4: one node of the MIME tree. Plain data, stored as JSON. */
export interface Part {
  /** Null for multipart/*; otherwise unique in the message. */
  partId: string | null;
  /** Lower-case media type, with the defaults and fallbacks of RFC 2045 §5.2. */
  type: string;
  /** The parameter, or the implicit us-ascii of text/* and of a part without Content-Type, otherwise null. */
  charset: string | null;
  /** RFC 3676: flowed text whose soft line breaks absorb a blank. Absent in other parts. */
  delSp?: true;
  name: string | null;
  disposition: string | null;
  cid: string | null;
  language: string[] | null;
  location: string | null;
  encoding: TransferEncoding;
  /** The part's own header block, without the empty line after it. */
  header: Range;
  /** The raw (encoded) bytes. */
  body: Range;
  /** Octets after transfer decoding. */
  size: number;
  /** The children of multipart/*, otherwise null. */
  parts: Part[] | null;
}

/** The leaves below (or at) a part, in order. Recursion is safe since the walker limits the depth. */
export function leaves(part: Part): Part[] {
  const found: Part[] = [];
  const visit = (node: Part): void => {
    if (node.parts === null) found.push(node);
    else for (const child of node.parts) visit(child);
  };
  visit(part);
  return found;
}
