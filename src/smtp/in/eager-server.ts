import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import type { Clock } from "../../base/clock.ts";

/** RFC 5321 §4.5.3.2.7: for the next command, or for so many bytes of a message. */
const patience = 5 * 60_000;
const leastBytes = 30_000;
/** When more than half of all places are taken: nobody shall keep others out by doing nothing. */
const littlePatience = 30_000;
const lookEvery = 3_000;
/** So many commands without a message, and two more for each recipient. */
const mostIdleCommands = 100;
/** How often the size limit is read and thrown away, so that the peer comes to its end and hears why. */
const mostOversize = 4;

const ownCode = /^[245]\.\d{1,3}\.\d{1,3} /;

/**
 * Greets at once, where the library waits for 100 ms, lets replies bring their own enhanced status code, leaves
 * domains as they were written, and ends what only trickles, only talks or never ends: the library waits as long as
 * there is a byte now and then.
 */
class EagerConnection extends SMTPConnection {
  /** When the peer last got somewhere. */
  #movedAt = 0;
  #bytes = 0;
  /** Since the last message. */
  #commands = 0;
  #messages = 0;

  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients && this._server.connections.size > maxClients) {
        this.send(421, `${this.name} too many connections, try again later`, false);
      } else this.connectionReady();
    });
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, typeof data === "string" && ownCode.test(data) ? false : context);
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.#movedAt = 0;
    if (this._transactionCounter !== this.#messages) this.#commands = 0;
    this.#messages = this._transactionCounter;
    const most = mostIdleCommands + 2 * (this.session.envelope?.rcptTo.length ?? 0);
    if (++this.#commands > most) this.send(421, "4.7.0 too many commands without a message");
    else super._onCommand(command, callback);
  }

  /** To be called every few seconds. */
  hurry(now: number, longest: number): void {
    const parser = this._parser || undefined;
    const bytes = parser?._dataMode ? parser.dataBytes : undefined;
    const isOurTurn = this._handlerPending || (this._dataStream && bytes === undefined);
    if (this.#movedAt === 0 || isOurTurn || Math.abs((bytes ?? 0) - this.#bytes) >= leastBytes) {
      this.#movedAt = now;
      this.#bytes = bytes ?? 0;
    }
    if (now - this.#movedAt > longest) this.send(421, "4.4.2 too slow");
    const { size } = this._server.options;
    if (size && bytes !== undefined && bytes > size * mostOversize) this.send(421, "5.3.4 this message has no end");
  }

  /** The library decodes A-labels, and nobody could tell any more who asked for SMTPUTF8 and who did not. */
  override _parseAddressCommand(name: string, command: Buffer | string) {
    const parsed = super._parseAddressCommand(name, command);
    const written = parsed && /^[^>]*@([^@>]+)>/.exec(command.toString())?.[1];
    if (written) parsed.address = parsed.address.replace(/[^@]+$/, () => written);
    return parsed;
  }
}

export class EagerServer extends SMTPServer {
  readonly #open = new Set<EagerConnection>();

  constructor(options: SMTPServerOptions & { maxClients: number }, clock: Clock) {
    super(options);
    setInterval(() => {
      const now = clock.now().getTime();
      const longest = this.connections.size > options.maxClients / 2 ? littlePatience : patience;
      for (const connection of this.#open) {
        if (this.connections.has(connection)) connection.hurry(now, longest);
        else this.#open.delete(connection);
      }
    }, lookEvery).unref();
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new EagerConnection(this, socket, options);
    this.connections.add(connection);
    this.#open.add(connection);
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.on("connect", (data: unknown) => this.emit("connect", data));
    connection.init();
  }
}
