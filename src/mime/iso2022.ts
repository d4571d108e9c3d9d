import iconv from "iconv-lite";

/** A character set selected by escape sequences, and the 8-bit charset that contains it. */
interface CharacterSet {
  /** All of these charsets include ASCII. */
  charset: "euc-jp" | "gbk" | "cp949" | "iso-8859-7" | "iso-8859-1";
  /** Bytes per character. */
  width: 1 | 2;
  /** The byte before each character in that charset. */
  prefix?: number;
  isAscii?: true;
  /** JIS X 0201: a yen sign and an overline replace two ASCII characters. */
  isRoman?: true;
}

const ascii: CharacterSet = { charset: "euc-jp", width: 1, isAscii: true };
const roman: CharacterSet = { charset: "euc-jp", width: 1, isAscii: true, isRoman: true };
const katakana: CharacterSet = { charset: "euc-jp", width: 1, prefix: 0x8e };
const kanji: CharacterSet = { charset: "euc-jp", width: 2 };
const moreKanji: CharacterSet = { charset: "euc-jp", width: 2, prefix: 0x8f };
const hanzi: CharacterSet = { charset: "gbk", width: 2 };
const hangul: CharacterSet = { charset: "cp949", width: 2 };

/** By the last byte of an escape sequence. The additions of JIS X 0213 to JIS X 0208 are lost. */
const single: Record<string, CharacterSet> = { B: ascii, J: roman, H: roman, I: katakana };
const double: Record<string, CharacterSet> = {
  "@": kanji,
  A: hanzi,
  B: kanji,
  C: hangul,
  D: moreKanji,
  E: hanzi,
  O: kanji,
  Q: kanji,
};
const high: Record<string, CharacterSet> = {
  A: { charset: "iso-8859-1", width: 1 },
  F: { charset: "iso-8859-7", width: 1 },
};

/** RFC 1468, RFC 1554, RFC 2237 (G0 and G2); RFC 1557, RFC 1922 (G1, by SO and SI). */
const designation = /^\x1b(?:([($])([)*]?|\(?)([@-Z])|\.([AF]))/;

const [LF, SO, SI, ESC] = [0x0a, 0x0e, 0x0f, 0x1b];
/** A byte that belongs to no set and decodes to U+FFFD. */
const nothing = 0xff;

/** Collects bytes of one 8-bit charset and decodes them when another begins. */
class Output {
  #text = "";
  readonly #bytes: Buffer;
  #size = 0;
  #charset = "euc-jp";

  constructor(maxBytes: number) {
    this.#bytes = Buffer.allocUnsafe(maxBytes);
  }

  put(charset: string, first: number, second?: number, third?: number): void {
    if (charset !== this.#charset) this.#flush();
    this.#charset = charset;
    this.#bytes[this.#size++] = first;
    if (second !== undefined) this.#bytes[this.#size++] = second;
    if (third !== undefined) this.#bytes[this.#size++] = third;
  }

  /** ASCII is the same in all charsets. */
  ascii(byte: number): void {
    this.#bytes[this.#size++] = byte;
  }

  text(text: string): void {
    this.#flush();
    this.#text += text;
  }

  end(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    if (this.#size > 0) this.#text += iconv.decode(this.#bytes.subarray(0, this.#size), this.#charset);
    this.#size = 0;
  }
}

/**
 * The sets that may be selected, and the charset of bytes above ASCII, which the standards lack but some senders write.
 */
interface Language {
  shifted: CharacterSet;
  raw?: CharacterSet["charset"];
}
const languages: Record<"iso-2022-jp" | "iso-2022-kr" | "iso-2022-cn", Language> = {
  "iso-2022-jp": { shifted: katakana },
  "iso-2022-kr": { shifted: hangul, raw: "cp949" },
  "iso-2022-cn": { shifted: hanzi, raw: "gbk" },
};

/** Writes the character of `set` at `at`, and returns how many bytes it took. */
function character(bytes: Buffer, at: number, set: CharacterSet, out: Output): number {
  const first = bytes[at]!;
  if (set.isAscii) {
    if (set.isRoman && first === 0x5c) out.text("¥");
    else if (set.isRoman && first === 0x7e) out.text("‾");
    else out.ascii(first);
    return 1;
  }
  const second = set.width === 2 ? bytes[at + 1] : undefined;
  if (set.width === 2 && (second === undefined || second <= 0x20 || second >= 0x7f)) {
    out.put(set.charset, nothing);
    return 1;
  }
  const upper = second === undefined ? undefined : second | 0x80;
  if (set.prefix === undefined) out.put(set.charset, first | 0x80, upper);
  else out.put(set.charset, set.prefix, first | 0x80, upper);
  return set.width;
}

/** Decodes all versions of ISO-2022-JP, -KR and -CN. Bytes that belong to none of their sets become U+FFFD. */
export function decodeIso2022(bytes: Buffer, name: keyof typeof languages): string {
  const { shifted, raw } = languages[name];
  const out = new Output(bytes.length * 2);
  let [g0, g1, g2]: (CharacterSet | undefined)[] = [ascii, shifted, undefined];
  let isShifted = false;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    if (byte === ESC) {
      const found = designation.exec(bytes.toString("latin1", at, at + 5));
      const [, kind, slot, last, second] = found ?? [];
      const set = kind === "(" ? single[last!] : kind === "$" ? double[last!] : undefined;
      if (second !== undefined) g2 = high[second];
      else if (bytes[at + 1] === 0x4e && g2 && at + 2 < bytes.length) {
        out.put(g2.charset, bytes[at + 2]! | 0x80);
        at += 3;
        continue;
      } else if (slot === ")") g1 = set ?? hanzi;
      else if (set) g0 = set;
      else if (slot !== "*") out.put("euc-jp", nothing);
      at += found ? found[0].length : 1;
    } else if (byte === SO || byte === SI) {
      isShifted = byte === SO;
      at++;
    } else if (byte >= 0x80) {
      // Two bytes of an 8-bit charset, written without escapes.
      const second = bytes[at + 1] ?? 0;
      if (raw && second >= 0x40) out.put(raw, byte, second);
      else out.put("euc-jp", nothing);
      at += raw && second >= 0x40 ? 2 : 1;
    } else if (byte <= 0x20 || byte === 0x7f) {
      if (byte === LF) isShifted = false;
      out.ascii(byte);
      at++;
    } else at += character(bytes, at, (isShifted ? g1 : g0) ?? ascii, out);
  }
  return out.end();
}

const TILDE = 0x7e;

/** RFC 1843: HZ. */
export function decodeHz(bytes: Buffer): string {
  const out = new Output(bytes.length);
  let set = ascii;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!;
    const next = bytes[at + 1];
    if (byte === TILDE && next === 0x7b) set = hanzi;
    else if (byte === TILDE && next === 0x7d) set = ascii;
    else if (byte === TILDE && next === TILDE && set === ascii) out.ascii(TILDE);
    else if (byte !== TILDE || !(next === LF || (next === 0x0d && bytes[at + 2] === LF))) {
      // An unescaped character, or a line end, which ends the other set.
      if (byte === LF) set = ascii;
      if (byte >= 0x80 && next !== undefined && next >= 0x40) {
        out.put("gbk", byte, next);
        at += 2;
      } else if (byte <= 0x20 || byte >= 0x7f) {
        out.put("gbk", byte >= 0x80 ? nothing : byte);
        at++;
      } else at += character(bytes, at, set, out);
      continue;
    }
    // A line continued in the next.
    at += next === 0x0d ? 3 : 2;
  }
  return out.end();
}
