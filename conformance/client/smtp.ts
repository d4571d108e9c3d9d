import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";

/** A whole SMTP reply; `line` is its last line, unchanged, with the code. */
export type Reply = { code: number; line: string; lines: string[] };
export type Target = { port: number; host?: string; timeoutMs?: number; name?: string; localAddress?: string };
export type Envelope = { from: string; to: string | string[]; data: string | Uint8Array };

/** An unexpected reply; `code` 0 means that the connection was lost. */
export class SmtpFailure extends Error {
  readonly code: number;
  readonly line: string;
  /** The command that was refused. */
  readonly stage: string;
  constructor(code: number, line: string, stage: string) {
    super(`${stage}: ${line}`);
    this.name = "SmtpFailure";
    this.code = code;
    this.line = line;
    this.stage = stage;
  }
}

/** RFC 5321 §4.5.2; bare line feeds become CRLF, so that a test text can be written plainly. */
function stuff(data: string | Uint8Array): Buffer {
  const text = Buffer.from(data).toString("latin1").replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
  return Buffer.from(`${text}${text.endsWith("\r\n") || text === "" ? "" : "\r\n"}.\r\n`, "latin1");
}

/** A connection driven by hand: what is written is sent unchanged. */
export class SmtpConnection {
  #socket: Socket;
  #rest = "";
  #lines: string[] = [];
  readonly #replies: Reply[] = [];
  #wake: (() => void) | undefined;
  #gone: Error | undefined;
  readonly #timeoutMs: number;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#listen();
  }

  /** Connects without reading the greeting. */
  static open(target: Target): Promise<SmtpConnection> {
    return new Promise((resolve, reject) => {
      const { port, host = "127.0.0.1", localAddress } = target;
      const socket = connectTcp({ port, host, noDelay: true, ...(localAddress && { localAddress }) });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new SmtpConnection(socket, target.timeoutMs ?? 10_000)));
    });
  }

  /** Connects, reads the greeting and sends EHLO. */
  static async greet(target: Target): Promise<SmtpConnection> {
    const connection = await SmtpConnection.open(target);
    try {
      await connection.expect("greeting", [220]);
      await connection.command(`EHLO ${target.name ?? "client.test"}`, [250]);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  #listen(): void {
    const socket = this.#socket;
    const lost = (error?: Error): void => {
      if (socket !== this.#socket) return;
      this.#gone ??= error ?? new Error("connection closed");
      this.#wake?.();
    };
    socket.removeAllListeners("error");
    socket.on("data", (chunk) => this.#receive(chunk.toString("latin1")));
    socket.on("error", lost);
    socket.on("close", () => lost());
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#lines.push(line);
      if (line[3] === "-") continue;
      this.#replies.push({ code: Number(line.slice(0, 3)), line, lines: this.#lines });
      this.#lines = [];
    }
    this.#wake?.();
  }

  get secure(): boolean {
    return "encrypted" in this.#socket;
  }

  get closed(): boolean {
    return this.#gone !== undefined;
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next reply; after pipelining, call it once for each reply. */
  async read(stage = "read"): Promise<Reply> {
    const end = Date.now() + this.#timeoutMs;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply) return reply;
      if (this.#gone) throw new SmtpFailure(0, this.#gone.message, stage);
      const left = end - Date.now();
      if (left <= 0) throw new SmtpFailure(0, `no reply in ${this.#timeoutMs} ms`, stage);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Reads one reply, which must have one of the codes. */
  async expect(stage: string, codes: number[]): Promise<Reply> {
    const reply = await this.read(stage);
    if (!codes.includes(reply.code)) throw new SmtpFailure(reply.code, reply.line, stage);
    return reply;
  }

  /** Sends a line and reads its reply, which must have one of `codes` if they are given. */
  command(line: string, codes?: number[]): Promise<Reply> {
    this.write(`${line}\r\n`);
    return codes ? this.expect(line, codes) : this.read(line);
  }

  /** DATA, the message with its dots doubled, and the final reply. */
  async data(message: string | Uint8Array): Promise<Reply> {
    await this.command("DATA", [354]);
    this.write(stuff(message));
    return this.read("message");
  }

  /** The server's, after STARTTLS. */
  get peerCertificate(): PeerCertificate {
    return (this.#socket as TLSSocket).getPeerCertificate();
  }

  /** STARTTLS and a second EHLO. The certificate is not checked here: tests check it themselves. */
  async startTls(name = "client.test", servername?: string): Promise<Reply> {
    await this.command("STARTTLS", [220]);
    const plain = this.#socket;
    plain.removeAllListeners("data");
    this.#socket = await new Promise<Socket>((resolve, reject) => {
      const secure = connectTls({ socket: plain, rejectUnauthorized: false, ...(servername && { servername }) });
      secure.once("secureConnect", () => resolve(secure));
      secure.once("error", reject);
    });
    this.#listen();
    return this.command(`EHLO ${name}`, [250]);
  }

  /** One transaction on this connection; resolves with the final reply line. Refused recipients end it. */
  async send({ from, to, data }: Envelope): Promise<string> {
    const recipients = typeof to === "string" ? [to] : to;
    try {
      await this.command(`MAIL FROM:<${from}>`, [250]);
      for (const one of recipients) await this.command(`RCPT TO:<${one}>`, [250, 251]);
      await this.command("DATA", [354]);
    } catch (error) {
      if (!this.closed) await this.command("RSET").catch(() => {});
      throw error;
    }
    this.write(stuff(data));
    return (await this.expect("message", [250])).line;
  }

  async quit(): Promise<void> {
    if (!this.closed) await this.command("QUIT").catch(() => {});
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** One message over a connection of its own; rejects with SmtpFailure, which has `code` and `line`. */
export async function deliver(message: Target & Envelope): Promise<string> {
  const connection = await SmtpConnection.greet(message);
  try {
    const line = await connection.send(message);
    await connection.quit();
    return line;
  } finally {
    connection.destroy();
  }
}
