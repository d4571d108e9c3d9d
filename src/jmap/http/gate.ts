import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type FairTurns, Seat } from "../../base/fair-turns.ts";
import { networkOf } from "../../base/network.ts";
import { HeadPieces, type Pieces } from "./pieces.ts";

/** The most requests of one connection that are under way at once; further ones stay in the socket. */
const maxUnderWay = 8;
/** A piece of a body takes a turn from this size on, in octets. */
const worthATurn = 4_096;
/** The connection ends after so many refusals in a row. */
const maxRefusals = 100;

/**
 * Hands on one request at a time, in fair turns. Without it, the parser of HTTP or WebSockets would process everything
 * in the socket's buffer at once: thousands of requests.
 */
export class Gate extends Duplex {
  readonly seat: Seat;
  readonly turns: FairTurns;
  readonly #raw: Socket;
  #pieces: Pieces = new HeadPieces();
  #held: Buffer = empty;
  #ended = false;
  #waitsForTurn = false;
  /** The start of a piece is held whose end is not known yet. */
  #waitsForMore = false;
  /** The reader is ready for more. */
  #isWanted = true;
  /** The HTTP server has paused reading: nobody reads a body, or nobody takes the answers. */
  #isStopped = false;
  #isShut = false;
  #underWay = 0;
  #refusals = 0;

  constructor(raw: Socket, turns: FairTurns) {
    // Nothing may pile up behind a reader that pauses: it would be read in one go.
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
   * The HTTP server calls these to pause and resume input while a body is not read or answers are not taken. So nothing is
   * buffered behind a request whose body length is not known yet.
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

  /** Whether the client's connection has TLS that ends here. */
  get encrypted(): boolean {
    return "encrypted" in this.#raw && this.#raw.encrypted === true;
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

  /** Ends once everything is written, whether or not the client ends its side. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** From now on the connection's turns count for the login, in the client's own network if a proxy names it. */
  signIn(login: string, clientAddress: string | undefined): void {
    this.seat.login = login;
    if (clientAddress !== undefined) this.seat.network = networkOf(clientAddress);
  }

  /** Counts a request as under way until its response is closed. */
  begin(req: IncomingMessage, res: ServerResponse): void {
    this.#pieces.body(Number(req.headers["content-length"] ?? 0));
    if (this.#refusals >= maxRefusals) res.setHeader("Connection", "close");
    const done = this.enter();
    res.once("close", () => {
      const { statusCode } = res;
      if (statusCode < 400) this.#refusals = 0;
      else if (statusCode < 500) this.#refusals++;
      done();
    });
  }

  /** Counts something as under way until the returned function is called. */
  enter(): () => void {
    this.#underWay++;
    return () => {
      this.#underWay--;
      this.#advance();
    };
  }

  /** Cuts further input by these rules. */
  part(pieces: Pieces): void {
    this.#pieces = pieces;
  }

  /** Stops handing on. */
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
      if (length === 0 || (isWhole && this.#underWay >= maxUnderWay)) break;
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

  /** The piece in which the input ended will never be whole. */
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
