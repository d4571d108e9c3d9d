import type { Pieces } from "./pieces.ts";

/** The most octets that inflating one octet can give. */
const maxInflation = 1_032;
/** The memory that a message's pieces take beside their octets. */
const overhead = 64;

/** A message that arrives whole is asked about only if it may take this much. */
const worthAsking = 1_000_000;

/** A message that has begun to arrive. */
export interface PartialMessage {
  /** Octets received, before inflating. */
  arrived: number;
  /** Octets of memory that it may take, including the whole of the current frame. */
  mayTake: number;
}

/** RFC 6455 §5.2: cuts the input into frames. The parser behind it refuses invalid frames. */
export class FramePieces implements Pieces {
  readonly #mayGoOn: (message: PartialMessage) => boolean;
  readonly #onWhole: () => void;
  /** The octets of the frame's payload that are still to come. */
  #left = 0;
  #isMessage = false;
  #isLast = false;
  #isCompressed = false;
  #message: PartialMessage = { arrived: 0, mayTake: 0 };
  #mayTakeBefore = 0;
  #next: { header: Buffer | undefined; payload: number } = { header: undefined, payload: 0 };

  /** `mayGoOn` is asked before more of a message that is large or not whole is handed on; `onWhole` is called at its end. */
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
    this.#message.mayTake = this.#mayTakeBefore + (isCompressed ? maxInflation * length : length) + overhead;
    const isWhole = isThere && frame.isLast;
    return (isWhole && this.#message.mayTake < worthAsking) || this.#mayGoOn(this.#message);
  }

  #begin(header: Buffer): void {
    const { isMessage, isFirst, isLast, isCompressed, length } = read(header);
    this.#left = length;
    // Control frames, such as pings, may come between the frames of a message.
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

/** Undefined until the header is complete. */
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
