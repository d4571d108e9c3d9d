import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, TLSSocket } from "node:tls";
import type { Failure } from "./failure.ts";

/** RFC 5321 §4.2: all lines of a reply, unchanged but for the line ends, which are CRLF between lines. */
export interface Reply {
  code: number;
  text: string;
}

/** Gets each line that is said. */
export interface Listener {
  said(who: "C" | "S", text: string): void;
}

/** Far beyond RFC 5321 §4.5.3.1.5, but not without end. */
const maxReplyOctets = 64 * 1024;
const maxQuitMs = 5_000;

/** What a server may take its time for, whatever it trickles meanwhile. */
export interface Patience {
  /** RFC 5321 §4.5.3.2: for a whole reply, from the command or the end of the message on. (Default: 5 min) */
  maxReplyMs: number;
  /** As a message is sent, so many octets in each window. (Default: 8,192 a second, in 30 s) */
  minOctets: number;
  windowMs: number;
}

/** The least speed at which a server must take a message. */
export const minOctetsPerSecond = 8_192;
const usualPatience: Patience = { maxReplyMs: 5 * 60_000, minOctets: 30 * minOctetsPerSecond, windowMs: 30_000 };
/** A message is written in pieces, so that it is seen how fast it is taken. */
const pieceOctets = 128 * 1024;

interface Waiting {
  resolve(reply: Reply): void;
  reject(failure: Failure): void;
}

/** RFC 5321, the client's side of one connection: lines, replies, TLS. It knows nothing of mail. */
export class Conversation {
  listener: Listener;
  /** Called once, when the connection can no longer be used. */
  onGone: () => void = () => {};
  #socket: Socket;
  #rest = "";
  #lines: string[] = [];
  #octets = 0;
  readonly #waiting: Waiting[] = [];
  #failure: Failure | undefined;
  readonly #patience: Patience;
  /** Runs while a reply is due or a message is being written. */
  #limit: NodeJS.Timeout | undefined;
  #isPouring = false;

  private constructor(socket: Socket, listener: Listener, maxIdleMs: number, patience: Patience) {
    this.#socket = socket;
    this.listener = listener;
    this.#patience = patience;
    this.#listen(socket, maxIdleMs);
  }

  /** Connects and resolves before the greeting. Throws a Failure. */
  static async open(
    { host, port, localAddress }: { host: string; port: number; localAddress?: string },
    {
      listener,
      maxConnectMs,
      maxIdleMs,
      patience = usualPatience,
    }: { listener: Listener; maxConnectMs: number; maxIdleMs: number; patience?: Patience },
  ): Promise<Conversation> {
    const socket = connectTcp({ host, port, noDelay: true, ...(localAddress && { localAddress }) });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy();
        reject(failed("CONNECT_TIMEOUT", "no connection in time"));
      }, maxConnectMs);
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
    socket.removeAllListeners("error");
    return new Conversation(socket, listener, maxIdleMs, patience);
  }

  /** False once anything has happened after which no further command can be answered. */
  get isUsable(): boolean {
    return this.#failure === undefined;
  }

  /** Whether a message is being sent. A reply that comes so early leaves the connection unusable. */
  get isPouring(): boolean {
    return this.#isPouring;
  }

  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  /** The next reply. Throws a Failure. */
  reply(): Promise<Reply> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1 && !this.#isPouring) this.#expectReply();
    });
  }

  command(line: string): Promise<Reply> {
    return this.commands([line])[0]!;
  }

  /** RFC 2920: sends several commands at once. A promise that nobody waits for does no harm when it fails. */
  commands(lines: readonly string[]): Promise<Reply>[] {
    for (const line of lines) this.listener.said("C", line);
    this.write(Buffer.from(lines.map((line) => `${line}\r\n`).join("")));
    return lines.map(() => {
      const reply = this.reply();
      reply.catch(() => {});
      return reply;
    });
  }

  /** Sends octets as they are. */
  write(...parts: readonly Uint8Array[]): void {
    if (this.#failure) return;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  /**
   * Sends a message of any size, as fast as the server takes it. Resolves when its end is on its way, or when the connection is
   * lost: by a server that takes too little of it, too.
   */
  async pour(parts: readonly Buffer[]): Promise<void> {
    const pieces = [...piecesOf(parts)];
    const last = pieces.pop() ?? [];
    if (pieces.length > 0) await this.#pourAll(pieces);
    this.write(...last);
  }

  async #pourAll(pieces: readonly Buffer[][]): Promise<void> {
    const { minOctets, windowMs } = this.#patience;
    let taken = 0;
    this.#isPouring = true;
    clearTimeout(this.#limit);
    this.#limit = setInterval(() => {
      if (taken < minOctets) this.#fail(failed("SOCKET_TIMEOUT", "it takes the message too slowly"));
      taken = 0;
    }, windowMs);
    for (const piece of pieces) {
      if (this.#failure) break;
      await new Promise<void>((resolve) => {
        this.write(...piece);
        this.#socket.write("", () => resolve());
      });
      taken += piece.reduce((sum, { length }) => sum + length, 0);
    }
    clearTimeout(this.#limit);
    this.#isPouring = false;
    if (!this.#failure && this.#waiting.length > 0) this.#expectReply();
  }

  /** Begins TLS at once. Throws a Failure with the code ETLS. */
  async startTls(options: ConnectionOptions, maxIdleMs: number): Promise<void> {
    const plain = this.#socket;
    // What came after the reply to STARTTLS came unprotected, and may be anybody's.
    if (this.#rest !== "" || this.#lines.length > 0) this.#fail(failed("EPROTOCOL", "it spoke before TLS"));
    if (this.#failure) throw this.#failure;
    for (const event of ["data", "end", "close", "error", "timeout"]) plain.removeAllListeners(event);
    const secure = connectTls({ ...options, socket: plain });
    try {
      await new Promise<void>((resolve, reject) => {
        secure.once("secureConnect", resolve);
        secure.once("error", reject);
        secure.once("close", () => reject(failed("ECONNECTION", "connection closed")));
        secure.setTimeout(maxIdleMs, () => reject(failed("SOCKET_TIMEOUT", "no answer in time")));
      });
    } catch (error) {
      const { code } = error as Failure;
      const failure: Failure = Object.assign(error as Failure, { code: "ETLS", ...(code && { originalCode: code }) });
      secure.on("error", () => {});
      plain.on("error", () => {});
      secure.destroy();
      plain.destroy();
      this.#fail(failure);
      throw failure;
    }
    secure.removeAllListeners("close");
    secure.removeAllListeners("error");
    this.#socket = secure;
    this.#listen(secure, maxIdleMs);
  }

  /** RFC 5321 §4.1.1.10. Does not wait for the reply. */
  quit(): void {
    if (this.#failure) return;
    this.listener.said("C", "QUIT");
    const socket = this.#socket;
    socket.end("QUIT\r\n");
    this.#fail(failed("ECONNECTION", "connection closed"), false);
    setTimeout(() => socket.destroy(), maxQuitMs).unref();
  }

  destroy(): void {
    this.#fail(failed("ECONNECTION", "connection closed"));
  }

  /** A server that trickles a reply is as slow as one that is silent. */
  #expectReply(): void {
    clearTimeout(this.#limit);
    const late = () => this.#fail(failed("SOCKET_TIMEOUT", "no whole reply in time"));
    this.#limit = setTimeout(late, this.#patience.maxReplyMs);
  }

  #listen(socket: Socket, maxIdleMs: number): void {
    socket.on("data", (octets: Buffer) => this.#hear(octets));
    socket.on("end", () => this.#fail(failed("ECONNECTION", "connection closed")));
    socket.on("close", () => this.#fail(failed("ECONNECTION", "connection closed")));
    socket.on("error", (error: Failure) => this.#fail(error));
    socket.setTimeout(maxIdleMs, () => this.#fail(failed("SOCKET_TIMEOUT", "no answer in time")));
  }

  #hear(octets: Buffer): void {
    if (this.#failure) return;
    let text = this.#rest + octets.toString("latin1");
    for (let end = text.indexOf("\n"); end >= 0 && !this.#failure; end = text.indexOf("\n")) {
      this.#hearLine(text.slice(0, text[end - 1] === "\r" ? end - 1 : end));
      text = text.slice(end + 1);
    }
    this.#rest = text;
    if (text.length > maxReplyOctets) this.#garbage(text);
  }

  #hearLine(octets: string): void {
    const line = /[\x80-\xff]/.test(octets) ? Buffer.from(octets, "latin1").toString("utf8") : octets;
    this.listener.said("S", line);
    const [, code, more] = /^(\d{3})(-?)/.exec(line) ?? [];
    this.#octets += octets.length;
    if (code === undefined || this.#octets > maxReplyOctets) this.#garbage(line);
    this.#lines.push(line);
    if (code !== undefined && more === "") this.#end(Number(code));
  }

  #end(code: number): void {
    const reply = { code, text: this.#lines.join("\r\n") };
    this.#lines = [];
    this.#octets = 0;
    const waiting = this.#waiting.shift();
    if (!this.#isPouring) clearTimeout(this.#limit);
    if (this.#waiting.length > 0 && !this.#isPouring) this.#expectReply();
    if (waiting) waiting.resolve(reply);
    // RFC 5321 §3.8: with 421 a server may say at any time that it closes the connection.
    else this.#fail(Object.assign(failed("ECONNECTION", "connection closed"), { response: reply.text }));
  }

  #garbage(text: string): void {
    this.#fail(Object.assign(failed("EPROTOCOL", "a reply that is none"), { response: text }));
  }

  #fail(failure: Failure, isOver = true): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#limit);
    if (isOver) this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
    this.onGone();
  }
}

function* piecesOf(parts: readonly Buffer[]): Generator<Buffer[]> {
  let piece: Buffer[] = [];
  let octets = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += pieceOctets) {
      const some = part.subarray(at, at + pieceOctets);
      piece.push(some);
      octets += some.length;
      if (octets < pieceOctets) continue;
      yield piece;
      [piece, octets] = [[], 0];
    }
  }
  if (octets > 0) yield piece;
}

const failed = (code: string, message: string): Failure => Object.assign(new Error(message), { code });
