import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { networkOf } from "../../auth/throttle.ts";
import { type FairTurns, Seat } from "../../base/fair-turns.ts";
import { HeadPieces, type Pieces } from "./pieces.ts";

/** The most requests of one connection under way at once; further ones stay on the line. */
const mostUnderWay = 8;
/** The octets from which on a piece of a body takes a turn, too. */
const worthATurn = 4_096;
/** The refusals in a row after which the connection ends. */
const mostRefusals = 100;

/**
 * A connection that hands on what arrives request by request, in fair turns: the HTTP parser, or the WebSocket's, would
 * go through all that lies in the socket's buffer at once, thousands of requests.
 */
export class Gate extends Duplex {
  readonly seat: Seat;
  readonly turns: FairTurns;
  readonly #raw: Socket;
  #pieces: Pieces = new HeadPieces();
  #held: Buffer = empty;
  #ended = false;
  #waitsForTurn = false;
  /** What is held is the start of a piece that is not known yet. */
  #waitsForMore = false;
  /** The reader is ready for more. */
  #isWanted = true;
  /** The HTTP server wants no more: nobody reads a body, or takes the answers. */
  #isStopped = false;
  #isShut = false;
  #underWay = 0;
  #refusals = 0;

  constructor(raw: Socket, turns: FairTurns) {
    // Nothing is to pile up behind a reader that pauses: it would be read in one go.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    this.#raw = raw;
    this.turns = turns;
    this.seat = new Seat(networkOf(raw.remoteAddress ?? ""));
    raw.on("data", (chunk: Buffer) => this.#arrive(chunk));
    raw.on("end", () => {
      this.#ended = true;
      this.#advance();
    });
    raw.on("timeout", () => this.emit("timeout"));
    raw.on("error", (error) => this.destroy(error));
    raw.on("close", () => this.destroy());
  }

  /**
   * By these the HTTP server stops what arrives while a body is not being read, or answers are not taken, and goes on
   * with it. So nothing is buffered behind a request whose body is not known yet.
   */
  readonly _handle = {
    readStop: () => {
      this.#isStopped = true;
    },
    readStart: () => {
      if (!this.#isStopped) return;
      this.#isStopped = false;
      this.#advance();
    },
  };

  get remoteAddress(): string | undefined {
    return this.#raw.remoteAddress;
  }

  setTimeout(time: number, listener?: () => void): this {
    if (listener) this.once("timeout", listener);
    this.#raw.setTimeout(time);
    return this;
  }

  setNoDelay(isOn?: boolean): this {
    this.#raw.setNoDelay(isOn);
    return this;
  }

  setKeepAlive(isOn?: boolean, delay?: number): this {
    this.#raw.setKeepAlive(isOn, delay);
    return this;
  }

  /** Ends once all is written, whether or not the client ends its side. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** From now on it has its turns among those of the login, in the client's own network where a proxy tells it. */
  signIn(login: string, clientAddress: string | undefined): void {
    this.seat.login = login;
    if (clientAddress !== undefined) this.seat.network = networkOf(clientAddress);
  }

  /** A request has begun: it is under way until its response is closed. */
  begin(req: IncomingMessage, res: ServerResponse): void {
    this.#pieces.body(Number(req.headers["content-length"] ?? 0));
    if (this.#refusals >= mostRefusals) res.setHeader("Connection", "close");
    const done = this.enter();
    res.once("close", () => {
      const { statusCode } = res;
      if (statusCode < 400) this.#refusals = 0;
      else if (statusCode < 500) this.#refusals++;
      done();
    });
  }

  /** Something is under way until the function that this returns is called. */
  enter(): () => void {
    this.#underWay++;
    return () => {
      this.#underWay--;
      this.#advance();
    };
  }

  /** What comes next is parted so. */
  part(pieces: Pieces): void {
    this.#pieces = pieces;
  }

  /** Hands on nothing more. */
  shut(): void {
    this.#isShut = true;
    this.#flow();
  }

  reopen(): void {
    this.#isShut = false;
    this.#advance();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#advance();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#raw.write(chunk, encoding, callback);
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    const raw = this.#raw;
    const last = chunks.length - 1;
    raw.cork();
    for (const [at, { chunk, encoding }] of chunks.entries())
      raw.write(chunk, encoding, at === last ? callback : ignore);
    raw.uncork();
  }

  override _final(callback: () => void): void {
    this.#raw.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#held = empty;
    this.#raw.destroy();
    callback(error);
  }

  #arrive(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#advance();
  }

  #advance(): void {
    this.#waitsForMore = false;
    while (this.#held.length > 0 && this.#isOpen) {
      const { length, isWhole } = this.#pieces.cut(this.#held);
      this.#waitsForMore = length === 0;
      if (length === 0 || (isWhole && this.#underWay >= mostUnderWay)) break;
      if (isWhole || length >= worthATurn) this.#takeTurn(length);
      else this.#handOn(length);
    }
    if (this.#ended && !this.#isShut && (this.#held.length === 0 || this.#waitsForMore)) this.#handOnEnd();
    this.#flow();
  }

  get #isOpen(): boolean {
    return this.#isWanted && !this.#isStopped && !this.#isShut && !this.#waitsForTurn;
  }

  #takeTurn(length: number): void {
    let isLater = false;
    const isDone = this.turns.take(this.seat, () => {
      this.#waitsForTurn = false;
      if (this.destroyed) return;
      this.#handOn(length);
      if (isLater) this.#advance();
    });
    isLater = !isDone;
    this.#waitsForTurn = isLater;
  }

  #handOn(length: number): void {
    const piece = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.#pieces.passed();
    this.#isWanted = this.push(piece);
  }

  /** What it ended inside of will never be whole. */
  #handOnEnd(): void {
    this.#held = empty;
    this.push(null);
  }

  #flow(): void {
    const isFull = !this.#isOpen || (this.#held.length > 0 && !this.#waitsForMore);
    if (isFull === this.#raw.isPaused()) return;
    if (isFull) this.#raw.pause();
    else this.#raw.resume();
  }
}

const empty = Buffer.alloc(0);
const ignore = () => {};

/** Puts a gate before every connection of a server. */
export function gate(server: Server, turns: FairTurns): void {
  const [serve] = server.listeners("connection") as ((socket: Duplex) => void)[];
  server.removeListener("connection", serve!);
  server.on("connection", (socket) => serve!.call(server, new Gate(socket, turns)));
}

export function gateOf(req: IncomingMessage): Gate {
  return req.socket as unknown as Gate;
}
