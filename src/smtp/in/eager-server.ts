import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SMTPServer } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";

const ownCode = /^[245]\.\d{1,3}\.\d{1,3} /;

/**
 * Greets at once, where the library waits for 100 ms, lets replies bring their own enhanced status code, and leaves
 * domains as they were written.
 */
class EagerConnection extends SMTPConnection {
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

  /** The library decodes A-labels, and nobody could tell any more who asked for SMTPUTF8 and who did not. */
  override _parseAddressCommand(name: string, command: Buffer | string) {
    const parsed = super._parseAddressCommand(name, command);
    const written = parsed && /^[^>]*@([^@>]+)>/.exec(command.toString())?.[1];
    if (written) parsed.address = parsed.address.replace(/[^@]+$/, written);
    return parsed;
  }
}

export class EagerServer extends SMTPServer {
  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new EagerConnection(this, socket, options);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.on("connect", (data: unknown) => this.emit("connect", data));
    connection.init();
  }
}
