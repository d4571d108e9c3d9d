import { connect, type Socket } from "node:net";

const maxTimeMs = 60_000;
const maxChunk = 65_536;
const maxAnswer = 4_096;

/** The virus scanner does not answer, or can't say. */
export class ScannerAway extends Error {}

export type ClamdPlace = { path: string } | { host: string; port: number };

/** clamd's INSTREAM: chunks with their length in front, an empty one at the end, then one line. */
export class Clamd {
  readonly #place: ClamdPlace;

  constructor(place: ClamdPlace) {
    this.#place = place;
  }

  /** The name of what infects the message, undefined for none. Throws ScannerAway. */
  async find(message: Buffer): Promise<string | undefined> {
    const answer = await this.#ask(message).catch((error: Error) => {
      throw new ScannerAway(`the virus scanner does not answer: ${error.message}`);
    });
    const found = /^stream: (.+) FOUND\0?$/.exec(answer)?.[1];
    if (found !== undefined) return found;
    if (/^stream: OK\0?$/.test(answer)) return undefined;
    throw new ScannerAway(`the virus scanner said ${JSON.stringify(answer.slice(0, 200))}`);
  }

  /** Whether it answers. */
  async isThere(): Promise<boolean> {
    const answer = await this.#ask().catch(() => "");
    return /^PONG\0?$/.test(answer);
  }

  /** Its answer about the message, or to PING. */
  #ask(message?: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#place);
      const fail = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      // Of the whole conversation, since a socket's own timeout starts anew with each octet.
      const timer = setTimeout(() => fail(new Error(`no answer in ${maxTimeMs} ms`)), maxTimeMs);
      let answer = "";
      socket.on("error", fail);
      socket.on("connect", () => (message === undefined ? socket.write("zPING\0") : send(socket, message)));
      socket.on("data", (octets: Buffer) => {
        answer += octets.toString("latin1");
        if (answer.length > maxAnswer) fail(new Error("its answer is too long"));
      });
      socket.on("close", () => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }
}

function send(socket: Socket, message: Buffer): void {
  socket.write("zINSTREAM\0");
  for (let at = 0; at < message.length; at += maxChunk) {
    const chunk = message.subarray(at, at + maxChunk);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(chunk.length);
    socket.write(length);
    socket.write(chunk);
  }
  // The other side closes when it has answered.
  socket.write(Buffer.alloc(4));
}
