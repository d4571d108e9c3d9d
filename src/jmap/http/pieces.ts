/** Cuts a connection's bytes so that each piece lets the parser behind it begin one thing at most. */
export interface Pieces {
  /** The length of the first piece, and whether it completes something; 0 if more bytes are needed to tell. */
  cut(bytes: Buffer): { length: number; isWhole: boolean };
  /** The piece that `cut` returned last has been handed on. */
  passed(): void;
  /** A body of this many octets comes next. */
  body(length: number): void;
}

/** Ends the head of every request, and every chunked body; the parser accepts no other end. */
const end = Buffer.from("\n\r\n");

/** HTTP/1.1: each piece ends with a request's head, or with its body. */
export class HeadPieces implements Pieces {
  #body = 0;
  /** How many octets of `end` the bytes handed on end with. */
  #seen = 0;
  #after = { body: 0, seen: 0 };

  cut(bytes: Buffer): { length: number; isWhole: boolean } {
    if (this.#body > 0) {
      const length = Math.min(this.#body, bytes.length);
      this.#after = { body: this.#body - length, seen: 0 };
      return { length, isWhole: false };
    }
    const rest = end.length - this.#seen;
    const isRest = this.#seen > 0 && bytes.subarray(0, rest).equals(end.subarray(this.#seen));
    const at = isRest ? rest : bytes.indexOf(end) + end.length;
    const isWhole = at >= end.length || isRest;
    this.#after = { body: 0, seen: isWhole ? 0 : this.#tail(bytes) };
    return { length: isWhole ? at : bytes.length, isWhole };
  }

  passed(): void {
    this.#body = this.#after.body;
    this.#seen = this.#after.seen;
  }

  body(length: number): void {
    this.#body = length;
  }

  #tail(bytes: Buffer): number {
    const last = bytes.at(-1);
    const before = bytes.length > 1 ? bytes.at(-2) === 0x0a : this.#seen === 1;
    return last === 0x0a ? 1 : last === 0x0d && before ? 2 : 0;
  }
}
