import type { Socket } from "node:net";
import { generate } from "selfsigned";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import { until } from "./ports.ts";

export type Stored = {
  from: string;
  to: string[];
  raw: Buffer;
  tls: boolean;
  /** The name in EHLO. */
  helo: string;
  at: number;
};
/** What EHLO may offer besides STARTTLS. */
export type Extension = "8BITMIME" | "SMTPUTF8" | "DSN" | "PIPELINING" | "REQUIRETLS";
export type Offer = {
  extensions: Extension[];
  /** RFC 1870: the most octets it takes. (Default: no SIZE.) */
  size?: number;
};
const everything: Offer = { extensions: ["8BITMIME", "SMTPUTF8", "DSN", "PIPELINING"] };
export type Stage = "connect" | "tls" | "mail" | "rcpt" | "data";
export type Rule = {
  stage: Stage;
  /** Only for this sender (mail) or recipient (rcpt, data). */
  address?: string | RegExp;
  /** Decides each time. `addresses` are those of this command, `taken` the recipients that were accepted before. */
  when?(addresses: string[], taken: number): boolean;
  /** How often the rule holds. (Default: always.) */
  times?: number;
  /** The whole reply, such as `451 4.3.0 later`. */
  reply?: string;
  /** Sends the reply unchanged, odd bytes included, and nothing after it. */
  isRaw?: boolean;
  /** Cuts the connection instead of replying; after DATA the message is kept first if `store`. */
  drop?: boolean;
  store?: boolean;
  /** Cuts the connection amid the message, at its first octets. */
  isAmid?: boolean;
  delayMs?: number;
};
export type SinkOptions = {
  /** (Default: one that is free.) */
  port?: number;
  host?: string;
  /** Offers STARTTLS with a certificate of its own. (Default: true.) */
  tls?: boolean;
  /** What EHLO offers; `offer` changes it. (Default: all but REQUIRETLS, and no SIZE.) */
  offer?: Offer;
  /** The name of the certificate and the greeting. (Default: mx.sink.test.) */
  name?: string;
  /** The certificate of an earlier sink (its `pems`), for a host that keeps it. */
  pems?: Certificate;
};
export type Certificate = { cert: string; private: string };

/** A self-signed certificate. RSA, since elliptic keys fail in the locked dependencies of `selfsigned`. */
function certificate(name: string): Promise<Certificate> {
  return generate([{ name: "commonName", value: name }], {
    keySize: 2048,
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: name }] }],
  });
}

type Failing = Error & { responseCode: number };
type Done = (error?: Error | null) => void;

/** The library waits for 100 ms before it greets; this one does not, as times are measured with it. */
class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }
}

class PromptServer extends SMTPServer {
  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const connection = new PromptConnection(this, socket, options);
    this.connections.add(connection);
    connection.on("error", (error: Error) => this.emit("error", error));
    connection.init();
  }
}

/** A real SMTP server that keeps all mail and misbehaves as programmed. */
export class SmtpSink {
  readonly messages: Stored[] = [];
  /** Every recipient that was asked for, accepted or not. */
  readonly attempts: { stage: Stage; address: string; at: number }[] = [];
  /** Command lines of the clients, unchanged. */
  readonly commands: string[] = [];
  readonly pems: Certificate | undefined;
  readonly host: string;
  connections = 0;
  #rules: Rule[] = [];
  readonly #server: SMTPServer;

  constructor(options: SinkOptions, pems: Certificate | undefined) {
    this.pems = pems;
    this.host = options.host ?? "127.0.0.1";
    this.#server = new PromptServer({
      name: options.name ?? "mx.sink.test",
      authOptional: true,
      disableReverseLookup: true,
      // The programmed replies bring their own enhanced codes.
      hideENHANCEDSTATUSCODES: true,
      disabledCommands: pems ? ["AUTH"] : ["AUTH", "STARTTLS"],
      ...(pems && { key: pems.private, cert: pems.cert }),
      logger: this.#listener(),
      closeTimeout: 200,
      onConnect: (session, done) => {
        this.connections++;
        this.#apply("connect", [session.remoteAddress], session, done);
      },
      onSecure: (_, session, done) => this.#apply("tls", [session.remoteAddress], session, done),
      onMailFrom: (address, session, done) => this.#apply("mail", [address.address], session, done),
      onRcptTo: (address, session, done) => this.#apply("rcpt", [address.address], session, done),
      onData: (stream, session, done) => this.#data(stream, session, done),
    });
    this.#server.on("error", () => {});
    this.offer(options.offer);
  }

  /** What EHLO offers from now on. Open connections are cut, since their clients know what was offered before. */
  offer({ extensions, size }: Offer = everything): void {
    for (const connection of this.#server.connections) connection._socket?.destroy();
    for (const name of [...everything.extensions, "REQUIRETLS"] as const) {
      Object.assign(this.#server.options, { [`hide${name}`]: !extensions.includes(name) });
    }
    Object.assign(this.#server.options, { size });
  }

  /** Starts to listen; returns itself. */
  async listen(port: number): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      const server = this.#server.listen(port, this.host, resolve);
      server.once("error", reject);
    });
    return this;
  }

  get port(): number {
    return (this.#server.server.address() as { port: number }).port;
  }

  /** Adds a rule before all others; the first that matches is applied. Returns a function that removes it. */
  program(rule: Rule): () => void {
    const own = { ...rule };
    this.#rules.unshift(own);
    return () => {
      this.#rules = this.#rules.filter((one) => one !== own);
    };
  }

  reset(): void {
    this.#rules = [];
    this.messages.length = 0;
    this.attempts.length = 0;
    this.commands.length = 0;
  }

  /** Keeps addresses and commands as they came, from the server's log: the server itself shows them in another form. */
  #listener() {
    const ignore = (): void => {};
    const debug = (_: unknown, side: string, line: string): void => void (side === "C:" && this.commands.push(line));
    return { level: ignore, trace: ignore, debug, info: ignore, warn: ignore, error: ignore, fatal: ignore };
  }

  #rule(stage: Stage, addresses: string[], taken = 0): Rule | undefined {
    const fits = (rule: Rule): boolean =>
      rule.stage === stage &&
      rule.times !== 0 &&
      (rule.address === undefined ||
        addresses.some((one) => (rule.address instanceof RegExp ? rule.address.test(one) : rule.address === one))) &&
      rule.when?.(addresses, taken) !== false;
    const rule = this.#rules.find(fits);
    if (rule?.times !== undefined) rule.times--;
    return rule;
  }

  #apply(
    stage: Stage,
    addresses: string[],
    session: SMTPServerSession,
    done: Done,
    rule = this.#rule(stage, addresses, session.envelope.rcptTo.length),
  ): void {
    const at = Date.now();
    for (const address of addresses) this.attempts.push({ stage, address, at });
    const act = (): void => {
      if (rule?.drop) this.#cut(session);
      else if (rule?.isRaw) this.#connection(session)?._socket?.write(`${rule.reply}\r\n`);
      else done(rule?.reply === undefined ? null : failing(rule.reply));
    };
    if (rule?.delayMs) setTimeout(act, rule.delayMs);
    else act();
  }

  #data(stream: SMTPServerDataStream, session: SMTPServerSession, done: Done): void {
    const to = session.envelope.rcptTo.map((one) => one.address);
    const rule = this.#rule("data", to, to.length);
    if (rule?.isAmid) {
      stream.once("data", () => this.#cut(session));
      return;
    }
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const refused = rule?.drop === true || (rule?.reply !== undefined && !rule.reply.startsWith("2"));
      if (!refused || rule?.store) {
        const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : "";
        const helo = session.hostNameAppearsAs || "";
        const tls = session.secure === true;
        this.messages.push({ from, to, raw: Buffer.concat(chunks), tls, helo, at: Date.now() });
      }
      const { reply, ...rest } = rule ?? { stage: "data" };
      this.#apply("data", to, session, done, refused || rule?.isRaw ? rule : (rest as Rule));
    });
  }

  #connection(session: SMTPServerSession) {
    return [...this.#server.connections].find((connection) => connection.session.id === session.id);
  }

  #cut(session: SMTPServerSession): void {
    this.#connection(session)?._socket?.destroy();
  }

  /** Resolves with all messages once there are at least `count`. */
  async waitFor(count: number, timeoutMs = 10_000): Promise<Stored[]> {
    await until(`${count} messages in the sink (${this.messages.length} there)`, () => this.messages.length >= count, {
      timeoutMs,
    });
    return this.messages;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#server.connections) connection._socket?.destroy();
    });
  }
}

function failing(reply: string): Failing {
  const [, code, text] = /^(\d{3}) ?(.*)$/s.exec(reply) ?? [];
  if (!code) throw new Error(`not an SMTP reply: ${reply}`);
  return Object.assign(new Error(text), { responseCode: Number(code) });
}

export async function startSink(options: SinkOptions = {}): Promise<SmtpSink> {
  const pems =
    options.tls === false ? undefined : (options.pems ?? (await certificate(options.name ?? "mx.sink.test")));
  return new SmtpSink(options, pems).listen(options.port ?? 0);
}
