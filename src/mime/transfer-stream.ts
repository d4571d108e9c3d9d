import { Base64Decoder } from "./base64.ts";
import type { TransferEncoding } from "./structure.ts";
import { blanks, decodeTransfer, quotedPrintable } from "./transfer.ts";
import type { TransferDecoder } from "./transfer-decoder.ts";
import { UuDecoder } from "./uuencode.ts";
import { view } from "./view.ts";

/** `decodeTransfer` for bytes that arrive in pieces; the output pieces joined are the same. */
export function transferDecoder(encoding: TransferEncoding): TransferDecoder {
  if (encoding === "base64") return new Base64Decoder();
  if (encoding === "quoted-printable") return new QuotedPrintableDecoder();
  if (encoding === "uuencode") return new UuDecoder();
  return { push: view, end: () => Buffer.alloc(0) };
}

class QuotedPrintableDecoder implements TransferDecoder {
  /** Kept in pieces, since a run of blanks may be as long as the message; joined only when something follows. */
  #waiting: Uint8Array[] = [];

  push(bytes: Uint8Array): Buffer {
    if (this.#waiting.length > 0 && blanks(bytes, 0).at === bytes.length) {
      // Copied, since the caller may reuse the bytes.
      this.#waiting.push(Uint8Array.from(bytes));
      return Buffer.alloc(0);
    }
    const all = this.#waiting.length === 0 ? bytes : Buffer.concat([...this.#waiting, bytes]);
    const out = Buffer.allocUnsafe(all.length);
    const { size, read } = quotedPrintable(all, out, false);
    this.#waiting = read < all.length ? [Uint8Array.from(all.subarray(read))] : [];
    return out.subarray(0, size);
  }

  end(): Buffer {
    return decodeTransfer(Buffer.concat(this.#waiting), "quoted-printable");
  }
}
