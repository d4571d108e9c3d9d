/** Where the bytes of a connection part, so that each piece makes the parser behind begin one thing at most. */
export interface Pieces {
  /** The length of the first piece, and whether something is whole with it; 0 where that takes more bytes to know. */
  cut(bytes: Buffer): { length: number; isWhole: boolean };
  /** What `cut` told last is being handed on. */
  passed(): void;
  /** A body comes next; its length in octets. */
  body(length: number): void;
}

/** What ends the head of each request, and a chunked body; the parser takes no other end for one. */
const end = Buffer.from("\n\r\n");

/** HTTP/1.1: up to the end of a request's head, or of its body. */
export class HeadPieces implements Pieces {
  #body = 0;
  /** How much of the end stands at the end of what was handed on. */
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
