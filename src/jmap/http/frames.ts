import type { Pieces } from "./pieces.ts";

/** The most octets that deflate makes of one. */
const mostInflated = 1_032;
/** What the pieces of a message take beside their octets. */
const overhead = 64;

/** A message that takes less is not worth asking about when it comes whole. */
const worthAsking = 1_000_000;

/** The message that has begun to arrive. */
export interface PartialMessage {
  /** Octets that are there, as they came. */
  arrived: number;
  /** Octets that it may take in memory, with the whole of the frame that is arriving. */
  mayTake: number;
}

/** RFC 6455 §5.2: one frame at a time. What a frame may not be, the parser behind says. */
export class FramePieces implements Pieces {
  readonly #mayGoOn: (message: PartialMessage) => boolean;
  readonly #onWhole: () => void;
  /** What is still to come of the frame's payload. */
  #left = 0;
  #isMessage = false;
  #isLast = false;
  #isCompressed = false;
  #message: PartialMessage = { arrived: 0, mayTake: 0 };
  #mayTakeBefore = 0;
  #next: { header: Buffer | undefined; payload: number } = { header: undefined, payload: 0 };

  /** `mayGoOn` is asked before more is handed on of a message that is large or not whole; `onWhole` is told once it is. */
  constructor(mayGoOn: (message: PartialMessage) => boolean, onWhole: () => void) {
    this.#mayGoOn = mayGoOn;
    this.#onWhole = onWhole;
  }

  cut(bytes: Buffer): { length: number; isWhole: boolean } {
    const size = this.#left > 0 ? 0 : headerLength(bytes);
    if (size === undefined) return { length: 0, isWhole: false };
    const header = size === 0 ? undefined : bytes.subarray(0, size);
    const left = header ? payloadLength(header) : this.#left;
    const payload = Math.min(left, bytes.length - size);
    if (header && !this.#mayBegin(header, payload === left)) return { length: 0, isWhole: false };
    this.#next = { header, payload };
    return { length: size + payload, isWhole: payload === left };
  }

  passed(): void {
    const { header, payload } = this.#next;
    if (header) this.#begin(header);
    this.#left -= payload;
    if (!this.#isMessage) return;
    this.#message.arrived += payload;
    if (this.#left > 0 || !this.#isLast) return;
    this.#message = { arrived: 0, mayTake: 0 };
    this.#mayTakeBefore = 0;
    this.#onWhole();
  }

  body(): void {}

  #mayBegin(header: Buffer, isThere: boolean): boolean {
    const frame = read(header);
    if (!frame.isMessage) return true;
    const isCompressed = frame.isFirst ? frame.isCompressed : this.#isCompressed;
    const { length } = frame;
    this.#message.mayTake = this.#mayTakeBefore + (isCompressed ? mostInflated * length : length) + overhead;
    const isWhole = isThere && frame.isLast;
    return (isWhole && this.#message.mayTake < worthAsking) || this.#mayGoOn(this.#message);
  }

  #begin(header: Buffer): void {
    const { isMessage, isFirst, isLast, isCompressed, length } = read(header);
    this.#left = length;
    // Pings and the like may come between the frames of a message.
    this.#isMessage = isMessage;
    if (!isMessage) return;
    this.#isLast = isLast;
    if (isFirst) this.#isCompressed = isCompressed;
    this.#mayTakeBefore = this.#message.mayTake;
  }
}

function read(header: Buffer) {
  const bits = header[0]!;
  const opcode = bits & 0x0f;
  return {
    isMessage: opcode < 8,
    isFirst: opcode !== 0,
    isLast: (bits & 0x80) !== 0,
    isCompressed: (bits & 0x40) !== 0,
    length: payloadLength(header),
  };
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
