import type { Pieces } from "./pieces.ts";

/** Deflate makes so many octets of one, at most. */
const mostInflated = 1_032;
/** What the pieces of a message take beside their octets. */
const overhead = 64;

/** The message that has begun to arrive. */
export interface PartialMessage {
  /** Octets that are there, as they came. */
  arrived: number;
  /** Octets that it may take in memory, with the whole of the frame that is arriving. */
  mayTake: number;
}

/** RFC 6455 §5.2: one frame at a time. What a frame may not be, the parser behind says. */
export class FramePieces implements Pieces {
  readonly #onPart: (message: PartialMessage) => void;
  readonly #onWhole: () => void;
  /** Of the frame's payload, so much is still to come. */
  #left = 0;
  #isMessage = false;
  #isLast = false;
  #isCompressed = false;
  #message: PartialMessage = { arrived: 0, mayTake: 0 };
  #next: { header: Buffer | undefined; payload: number } = { header: undefined, payload: 0 };

  /** `onPart` is told as a message grows that is not whole, `onWhole` once it is. */
  constructor(onPart: (message: PartialMessage) => void, onWhole: () => void) {
    this.#onPart = onPart;
    this.#onWhole = onWhole;
  }

  cut(bytes: Buffer): { length: number; isWhole: boolean } {
    const header = this.#left > 0 ? 0 : headerLength(bytes);
    if (header === undefined) return { length: 0, isWhole: false };
    const left = header === 0 ? this.#left : payloadLength(bytes);
    const payload = Math.min(left, bytes.length - header);
    this.#next = { header: header === 0 ? undefined : bytes.subarray(0, header), payload };
    return { length: header + payload, isWhole: payload === left };
  }

  passed(): void {
    const { header, payload } = this.#next;
    if (header) this.#begin(header);
    this.#left -= payload;
    if (!this.#isMessage) return;
    const message = this.#message;
    message.arrived += payload;
    if (this.#left > 0 || !this.#isLast) this.#onPart(message);
    else {
      this.#message = { arrived: 0, mayTake: 0 };
      this.#onWhole();
    }
  }

  body(): void {}

  #begin(header: Buffer): void {
    const bits = header[0]!;
    const opcode = bits & 0x0f;
    this.#left = payloadLength(header);
    // Pings and the like may come between the frames of a message.
    this.#isMessage = opcode < 8;
    if (!this.#isMessage) return;
    this.#isLast = (bits & 0x80) !== 0;
    if (opcode !== 0) this.#isCompressed = (bits & 0x40) !== 0;
    this.#message.mayTake += (this.#isCompressed ? mostInflated * this.#left : this.#left) + overhead;
  }
}

/** Undefined while it is not all there. */
function headerLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const size = bytes[1]! & 0x7f;
  const length = 2 + (size === 127 ? 8 : size === 126 ? 2 : 0) + (bytes[1]! & 0x80 ? 4 : 0);
  return bytes.length < length ? undefined : length;
}

function payloadLength(header: Buffer): number {
  const size = header[1]! & 0x7f;
  if (size === 127) return Number(header.readBigUInt64BE(2));
  return size === 126 ? header.readUInt16BE(2) : size;
}
