import { parseHeader } from "./field.ts";
import { parseParameterised } from "./params.ts";
import type { Part } from "./structure.ts";
import { Unsendable } from "./unsendable.ts";
import { headerEnd, walk } from "./walk.ts";
import { type BodyFields, type HeaderRules, headerNeedsUtf8, isPlainHeader, wireHeader } from "./wire-header.ts";
import { type WireBody, wireLeaf } from "./wire-leaf.ts";
import { identityOf, isCarried, usesBareLf, wireFaults, withCrlf, withCrlfIfBare } from "./wire-scan.ts";

/** What a server accepts. RFC 6531 §3.1: SMTPUTF8 implies 8BITMIME. */
export interface PeerAbilities {
  /** RFC 6152 */
  eightBit: boolean;
  /** RFC 6531 */
  utf8: boolean;
}

/** The most that a server can accept: what cannot be sent with these abilities cannot be sent at all. */
export const allAbilities: PeerAbilities = { eightBit: true, utf8: true };

/** Messages nested deeper are not taken apart. */
const maxDepth = 20;
const CRLF = Buffer.from("\r\n");

/**
 * RFC 5321 §2.3.8, RFC 5322 §2.1.1, RFC 6152 §3, RFC 6531 §3.2: the message in an equivalent form that the server
 * accepts; the same object if it already is. Throws Unsendable.
 */
export function wireMessage(message: Buffer, peer: PeerAbilities): Buffer {
  const faults = wireFaults(message);
  const header = message.subarray(0, headerEnd(message));
  if (isCarried(faults, false) && isPlainHeader(header)) return message;
  const keepUtf8 = peer.utf8 && headerNeedsUtf8(header);
  return new Rewriter(message, { ...peer, keepUtf8, depth: 0 }).message();
}

/** RFC 2046 §5.2.1: an attached message may have no encoding of its own, so its content is made legal. */
export function wireAttached(message: Buffer, eightBit: boolean, depth = 1): Buffer {
  if (isCarried(wireFaults(message), eightBit)) return message;
  if (depth > maxDepth) throw new Unsendable("5.6.3", "its attached messages are nested too deeply", ["bodyStructure"]);
  return new Rewriter(message, { eightBit, keepUtf8: false, depth }).message();
}

interface Rules {
  eightBit: boolean;
  keepUtf8: boolean;
  /** How many messages enclose this one. */
  depth: number;
}

/** Goes through the parts of one message and records the changes. */
class Rewriter {
  readonly #message: Buffer;
  readonly #rules: Rules;
  readonly #isLf: boolean;
  #charset: string | null = null;

  constructor(message: Buffer, rules: Rules) {
    this.#message = message;
    this.#rules = rules;
    this.#isLf = usesBareLf(message);
  }

  message(): Buffer {
    const root = walk(this.#message);
    this.#charset = firstCharset(root);
    const out = this.#part(root, true);
    return out.equals(this.#message) ? this.#message : out;
  }

  #part(part: Part, isMessage: boolean): Buffer {
    const { header, body } = part;
    const old = this.#message.subarray(header.start, header.end);
    const { bytes, ...fields } = this.#body(part, old);
    const written = wireHeader(old, this.#headerRules(isMessage), { ...fields, isMessage });
    const isParted = body.start > header.end || (old.length === 0 && written.length > 0);
    return Buffer.concat([written, ...(isParted ? [CRLF] : []), bytes]);
  }

  #headerRules(isMessage: boolean): HeaderRules {
    const { keepUtf8, depth, eightBit } = this.#rules;
    const isAttached = depth > 0;
    return { keepUtf8: keepUtf8 && isMessage, isAttached, charset: this.#charset, keepRaw: isAttached && eightBit };
  }

  #body(part: Part, header: Buffer): WireBody {
    const raw = this.#message.subarray(part.body.start, part.body.end);
    if (part.type === "multipart/signed") return this.#signed(raw);
    if (part.parts) return this.#multipart(part, part.parts);
    if (isCarried(wireFaults(raw), this.#rules.eightBit)) return { bytes: raw };
    if (part.type.startsWith("message/")) return this.#attached(raw, part);
    const written = wireLeaf(raw, part, { ...this.#rules, isLf: this.#isLf });
    const type = written.encoding === undefined ? undefined : this.#typeOf(part, header);
    return { ...written, ...(type !== undefined && { type }) };
  }

  /** RFC 1847 §2.1: a signed part must not change, or the signature no longer holds. */
  #signed(raw: Buffer): WireBody {
    const bytes = this.#isLf ? withCrlf(raw) : raw;
    const faults = wireFaults(bytes);
    if (isCarried(faults, this.#rules.eightBit)) return { bytes };
    const why = isCarried(faults, true)
      ? "8-bit text, which the server does not take (no 8BITMIME), and to encode it would break the signature: " +
        "sign it again with its text in quoted-printable or base64, or send it unsigned"
      : "lines that are too long, NUL, or CR or LF alone, and cannot be changed";
    throw new Unsendable("5.6.3", `its signed part holds ${why}`, ["bodyStructure"]);
  }

  #multipart(part: Part, parts: Part[]): WireBody {
    const out: Buffer[] = [];
    let at = part.body.start;
    parts.forEach((child, index) => {
      const isCapped = child.type === "application/octet-stream" && child.header.start === child.body.start;
      if (isCapped) this.#untouchable(child);
      out.push(this.#gap(at, child.header.start, index === 0 ? "preamble" : "between"), this.#part(child, false));
      at = child.body.end;
    });
    out.push(this.#gap(at, part.body.end, "epilogue"));
    const bytes = Buffer.concat(out);
    const old = this.#message.subarray(part.body.start, part.body.end);
    return bytes.equals(old) ? { bytes } : this.#relabelled(bytes, part);
  }

  /** RFC 2045 §6.4: only identity encodings are allowed. */
  #relabelled(bytes: Buffer, { encoding }: Part): WireBody {
    const right = identityOf(wireFaults(bytes));
    return encoding === right ? { bytes } : { bytes, encoding: right };
  }

  /** The bytes between parts: delimiters, and text that nobody reads, which is removed if it cannot be sent. */
  #gap(start: number, end: number, where: "preamble" | "between" | "epilogue"): Buffer {
    const raw = withCrlfIfBare(this.#message.subarray(start, end));
    if (isCarried(wireFaults(raw), false)) return raw;
    const lines = raw.toString("latin1").split("\r\n");
    const delimiters = lines.filter((line) => line.startsWith("--"));
    const line = (where === "epilogue" ? delimiters[0] : delimiters.at(-1))?.replace(/[\r\t ]+$/, "");
    const lead = lines[0] === "" || where === "epilogue" ? "\r\n" : "";
    const kept = Buffer.from(line === undefined ? "" : `${lead}${line}\r\n`, "latin1");
    if (isCarried(wireFaults(kept), false)) return kept;
    throw new Unsendable("5.6.3", "the boundary of its parts cannot be sent", ["bodyStructure"]);
  }

  #untouchable(part: Part): void {
    const raw = this.#message.subarray(part.header.start, part.body.end);
    if (isCarried(wireFaults(raw), this.#rules.eightBit)) return;
    throw new Unsendable("5.6.3", "it has too many parts to be converted", ["bodyStructure"]);
  }

  /** A multipart without parts is read as text, unless it was only nested too deeply. */
  #typeOf(part: Part, header: Buffer): string | undefined {
    const type = parseHeader(header, (name) => /^content-type$/i.test(name)).at(-1);
    if (!type || !parseParameterised(type.value).value.startsWith("multipart/")) return undefined;
    if (part.type === "text/plain") return "text/plain";
    throw new Unsendable("5.6.3", "its parts are nested too deeply", ["bodyStructure"]);
  }

  /** RFC 2046 §5.2, RFC 6532 §3.7 */
  #attached(raw: Buffer, part: Part): WireBody {
    const { eightBit, depth } = this.#rules;
    const isEncoded = part.encoding === "base64" || part.encoding === "quoted-printable";
    if (part.type.startsWith("message/global") || isEncoded) {
      return wireLeaf(raw, part, { eightBit, isLf: this.#isLf });
    }
    if (part.type === "message/partial" || part.encoding === "unknown") {
      throw new Unsendable("5.6.3", `a part of type ${part.type} cannot be changed`, ["bodyStructure"]);
    }
    const bytes = this.#isLf && part.encoding !== "binary" ? withCrlf(raw) : raw;
    const isMessage = /^message\/(rfc822|news|external-body)$/.test(part.type);
    const written = isMessage ? wireAttached(bytes, eightBit, depth + 1) : this.#fieldGroups(bytes);
    return this.#relabelled(written, part);
  }

  /** RFC 3464 §2.1, RFC 8098 §3.1: reports are groups of header fields separated by empty lines. */
  #fieldGroups(raw: Buffer): Buffer {
    const groups = withCrlfIfBare(raw)
      .toString("latin1")
      .split(/\r\n(?=\r\n)/);
    const rules = { ...this.#headerRules(false), isAttached: true };
    const written = groups.map((group) => {
      const [lead, fields] = group.startsWith("\r\n") ? ["\r\n", group.slice(2)] : ["", group];
      const body: BodyFields = { isMessage: false };
      return `${lead}${wireHeader(Buffer.from(fields, "latin1"), rules, body).toString("latin1").replace(/\r\n$/, "")}`;
    });
    return Buffer.from(`${written.join("\r\n")}\r\n`, "latin1");
  }
}

/** Raw text in a header is most likely in the charset of the text below it. */
function firstCharset(part: Part): string | null {
  if (!part.parts) return part.type.startsWith("text/") ? part.charset : null;
  for (const child of part.parts) {
    const found = firstCharset(child);
    if (found !== null) return found;
  }
  return null;
}
