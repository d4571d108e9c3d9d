import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import type { Clock } from "../../base/clock.ts";
import type { EndingPatience } from "../../base/ending.ts";
import { pauseFor } from "../../base/retry.ts";
import { bearerRefused, parseBearer } from "./bearer.ts";
import { parsePath } from "./path.ts";
import { type Place, Places } from "./places.ts";

/** RFC 5321 §4.5.3.2.7: time for the next command, or for `minBytes` of a message. */
const patienceMs = 5 * 60_000;
const minBytes = 30_000;
/** Applies when more than half of all places are taken, so that idle peers cannot keep others out. */
const crowdedPatienceMs = 30_000;
const checkEveryMs = 3_000;
/** Commands without a message, not counting RCPT. */
const maxIdleCommands = 100;
/** Discard at most this many times the size limit, so a well-behaved client can finish DATA and see the 552. */
const maxOversizeFactor = 4;

const drainStepMs = 20;
const maxFlushMs = 1_000;

const ownCode = /^[245]\.\d{1,3}\.\d{1,3} /;
const controls = /[\x00-\x1f\x7f-\x9f]/g;
/** The library's names for the replies that bring a peer closer to handing over a message, in order. */
const steps = ["MAIL_FROM_OK", "RCPT_TO_OK"];

/** `extensions`: what EHLO announces beside what the library does. */
type Options = SMTPServerOptions & { maxClients: number; maxRecipients: number; extensions?: () => string[] };

/**
 * Differs from the library: greets at once instead of after 100 ms, answers a peer that has closed its own side, lets
 * replies carry their own enhanced status code, and parses addresses itself. It also ends connections that only
 * trickle, only talk or never finish, where the library waits as long as a byte arrives now and then.
 */
class EagerConnection extends SMTPConnection {
  readonly #server: EagerServer;
  readonly #places: Places<EagerConnection>;
  readonly #place: Place<EagerConnection>;
  readonly #maxRecipientCommands: number;
  /** When the peer last made progress. */
  #movedAt = 0;
  #bytes = 0;
  /** Number of commands since the last message. */
  #commands = 0;
  #recipients = 0;
  #steps = 0;
  #messages = 0;
  /** The reply to EHLO is being written. */
  #isAnnouncing = false;

  constructor(server: EagerServer, socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null) {
    super(server, socket, options);
    this.#server = server;
    this.#places = server.places;
    this.#place = server.places.enter(this.remoteAddress, this);
    // As many recipients again may be refused as too many (RFC 5321 §4.5.3.1.10) before they count as idle commands.
    this.#maxRecipientCommands = 2 * server.maxRecipients;
  }

  override init(): void {
    this._setListeners(() => {
      if (this.#places.isOverfull) {
        this._server.emit("overfull");
        this.#places.leastUseful()?.makeRoom();
      }
      if (this.#places.isOverfull) this.send(421, `${this.name} too many connections, try again later`, false);
      else this.connectionReady();
    });
  }

  /** We are working on what the peer asked for. */
  get isBusy(): boolean {
    const parser = this._parser || undefined;
    return this._handlerPending || (Boolean(this._dataStream) && !parser?._dataMode);
  }

  /** A message is on its way here. */
  get isInTransaction(): boolean {
    return this.isBusy || Boolean(this._dataStream) || Boolean(this.session.envelope?.mailFrom);
  }

  makeRoom(): void {
    this.#end("4.3.2 too many connections, try again later");
  }

  /** RFC 5321 §3.8: the peer sends its further mail over a new connection. */
  sendAway(): void {
    this.#end("4.3.2 the server is shutting down, connect again");
  }

  #end(why: string): void {
    this.send(421, why);
    // A peer that does not close its side must not keep the socket.
    this._socket.destroySoon();
  }

  override close(): void {
    this.#places.leave(this.#place);
    super.close();
  }

  override _onClose(): void {
    this.#places.leave(this.#place);
    super._onClose();
  }

  /** As in the library, but also sends to a peer that has closed its own side. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const given = Array.isArray(data) ? data : [data ?? ""];
    const said = this.#isAnnouncing && code === 250 ? this.#announced(given) : given;
    const texts = said.map((text) => text.replace(controls, " "));
    const enhanced = ownCode.test(texts[0]!) ? "" : this._getEnhancedStatusCode(code, context);
    const lines = texts.map((text, at) => {
      const rest = [enhanced, text].filter((part) => part !== "").join(" ");
      return `${code}${at < texts.length - 1 ? "-" : " "}${rest}`;
    });
    if (code >= 400) this.session.error = lines.join("\r\n");
    if (code === 421 && texts[0]!.endsWith("You talk too soon")) this._server.emit("earlytalker");
    // During a handshake, `_socket` is the socket below TLS.
    if (!this._upgrading && this._socket.writable) this._socket.write(`${lines.join("\r\n")}\r\n`);
    if (context) this.#noteStep(context);
    if (code === 421) this.close();
  }

  #noteStep(context: string): void {
    if (context === "DATA_OK") {
      this.#steps = 0;
      this.#places.delivered(this.#place);
    } else if (steps.indexOf(context) >= this.#steps) {
      this.#steps = steps.indexOf(context) + 1;
      this.#places.moved(this.#place);
    }
  }

  override _createParser() {
    const parser = super._createParser();
    // The peer has closed its side, and everything before is answered.
    parser.once("finish", () => {
      if (parser._dataMode) this._socket.destroy();
      else if (parser === this._parser) this.close();
    });
    return parser;
  }

  /** RFC 4954 §4: AUTH is announced only where it may be used. */
  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#isAnnouncing = true;
    super.handler_EHLO(command, callback);
    this.#isAnnouncing = false;
  }

  #announced(lines: string[]): string[] {
    const allowed = this.secure ? lines : lines.filter((line) => !line.startsWith("AUTH "));
    return [...allowed, ...this.#server.extensions()];
  }

  /** Refuses passwords in the clear, and adds OAUTHBEARER (RFC 7628), which the library does not know. */
  override handler_AUTH(command: Buffer, callback: () => void): void {
    const [, mechanism = "", message, ...more] = command.toString().trim().split(/\s+/);
    if (!this.secure) this.send(538, "5.7.11 encryption is required first: send STARTTLS");
    else if (!/^oauthbearer$/i.test(mechanism) || this.session.user) {
      super.handler_AUTH(command, callback);
      return;
    } else if (more.length > 0) this.send(501, "5.5.4 syntax: AUTH OAUTHBEARER message");
    else if (message !== undefined) {
      this.#bearer(message, callback);
      return;
    } else {
      this._nextHandler = (line, done) => this.#bearer(line.toString().trim(), done);
      this.send(334);
    }
    callback();
  }

  #bearer(message: string, callback: () => void): void {
    const said = parseBearer(message);
    if (!said) {
      this.send(501, message === "*" ? "5.7.0 authentication cancelled" : "5.5.2 not a message of OAUTHBEARER");
      callback();
      return;
    }
    const auth = { method: "XOAUTH2" as const, ...said, validatePassword: () => false };
    this._server.onAuth(auth, this.session, (error, response) => {
      const { responseCode = 535 } = (error ?? {}) as { responseCode?: number };
      if (response?.user) {
        this.session.user = response.user;
        this.session.transmissionType = this._transmissionType();
        this.send(235, "Authentication successful");
      } else if (responseCode === 535) {
        // RFC 7628 §3.2.3: the client answers with a dummy, and then is refused.
        this._nextHandler = (_, done) => {
          this.send(535, error?.message);
          done();
        };
        this.send(334, bearerRefused);
      } else this.send(responseCode, error?.message);
      callback();
    });
  }

  /** Ends the connection of a peer that closes its side during the handshake. */
  override upgrade(callback: () => void, secureCallback?: () => void): void {
    this._socket.allowHalfOpen = false;
    super.upgrade(callback, () => {
      this._socket.allowHalfOpen = true;
      secureCallback?.();
    });
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    // An unterminated line at the end of the connection is not a command.
    if (!callback) return;
    this.#movedAt = 0;
    if (this._transactionCounter !== this.#messages) [this.#commands, this.#recipients] = [0, 0];
    this.#messages = this._transactionCounter;
    if (this.#server.isDraining && this._transactionCounter > 0 && /^mail /i.test(command.toString("latin1", 0, 5))) {
      this.sendAway();
      return;
    }
    const isRecipient = /^rcpt /i.test(command.toString("latin1", 0, 5));
    if (isRecipient && this.#recipients < this.#maxRecipientCommands) this.#recipients++;
    else if (++this.#commands > maxIdleCommands) {
      this.send(421, "4.7.0 too many commands without a message");
      return;
    }
    super._onCommand(command, callback);
  }

  /** Call every few seconds. Ends the connection when the peer has made no progress for `maxIdleMs`. */
  hurry(now: number, maxIdleMs: number): void {
    const parser = this._parser || undefined;
    const bytes = parser?._dataMode ? parser.dataBytes : undefined;
    const isMoving = bytes !== undefined && Math.abs(bytes - this.#bytes) >= minBytes;
    if (isMoving) this.#places.moved(this.#place);
    if (this.#movedAt === 0 || this.isBusy || isMoving) {
      this.#movedAt = now;
      this.#bytes = bytes ?? 0;
    }
    if (now - this.#movedAt > maxIdleMs) this.send(421, "4.4.2 too slow");
    const { size } = this._server.options;
    if (size && bytes !== undefined && bytes > size * maxOversizeFactor)
      this.send(421, "5.3.4 this message has no end");
  }

  /**
   * The library rejects quoted local parts and unusual dots, and decodes A-labels, which would hide whether a peer
   * needed SMTPUTF8.
   */
  override _parseAddressCommand(name: string, command: Buffer | string) {
    const path = parsePath(name, command.toString());
    const parsed = path && super._parseAddressCommand(name, `${name}:<>${path.parameters}`);
    return parsed ? { ...parsed, address: path.address } : false;
  }
}

export class EagerServer extends SMTPServer {
  readonly #open = new Set<EagerConnection>();
  readonly #sockets = new Set<Socket>();
  isDraining = false;
  readonly places: Places<EagerConnection>;
  readonly maxRecipients: number;
  readonly #maxPending: number;
  readonly extensions: () => string[];

  constructor({ extensions = () => [], ...options }: Options, clock: Clock) {
    super({ ...options, allowHalfOpen: true });
    this.extensions = extensions;
    this.places = new Places(options.maxClients, clock);
    this.maxRecipients = options.maxRecipients;
    this.#maxPending = options.maxClients;
    setInterval(() => {
      const now = clock.now().getTime();
      const maxIdleMs = this.places.isCrowded ? crowdedPatienceMs : patienceMs;
      for (const connection of this.#open) {
        if (this.connections.has(connection)) connection.hurry(now, maxIdleMs);
        else this.#open.delete(connection);
      }
    }, checkEveryMs).unref();
  }

  /** As among the places: whoever has waited longest for its handshake makes room. */
  override _acceptSocket(...[socket, handshake]: Parameters<SMTPServer["_acceptSocket"]>): (() => void) | false {
    const [longest] = this._pendingSockets;
    if (longest && this._pendingSockets.size >= this.#maxPending) {
      this._pendingSockets.delete(longest[0]);
      longest[1].destroy();
    }
    return super._acceptSocket(socket, handshake);
  }

  /** RFC 8314 §3.3, TLS from the first byte: as STARTTLS, a peer that closes its side during the handshake has left. */
  override _upgrade(...[socket, callback]: Parameters<SMTPServer["_upgrade"]>): void {
    socket.allowHalfOpen = false;
    super._upgrade(socket, (error, secure) => {
      if (secure) secure.allowHalfOpen = true;
      callback(error, secure);
    });
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new EagerConnection(this, socket, options);
    this.connections.add(connection);
    this.#open.add(connection);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.on("connect", (data: unknown) => this.emit("connect", data));
    connection.init();
  }

  /**
   * Takes no more connections, and ends those that are open between messages: a peer that has delivered one is sent away
   * when it begins the next, one that is idle after `idleMs`, any after `maxMs`.
   */
  async drain({ idleMs, maxMs }: EndingPatience): Promise<void> {
    this.isDraining = true;
    if (this.server.listening) this.server.close();
    for (const socket of this._pendingSockets.values()) socket.destroy();
    const begun = performance.now();
    while (this.connections.size > 0) {
      await pauseFor(drainStepMs);
      const elapsed = performance.now() - begun;
      for (const connection of this.connections as Set<EagerConnection>) {
        if (elapsed > (connection.isInTransaction ? maxMs : idleMs)) connection.sendAway();
      }
    }
    // The last replies are still on their way.
    for (let waited = 0; this.#sockets.size > 0 && waited < maxFlushMs; waited += drainStepMs)
      await pauseFor(drainStepMs);
  }
}
