import type { SMTPServerAddress, SMTPServerSession } from "smtp-server";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { MailLog } from "../../base/mail-log.ts";
import { networkOf } from "../../base/network.ts";
import type { Addressed } from "../../mail/deliver/expand.ts";
import { Refusal } from "./reply.ts";
import {
  type Check,
  type Credentials,
  type Facts,
  type Found,
  type Path,
  type Said,
  type Session,
  type Stage,
  type Stages,
  stageOrder,
  type Transaction,
} from "./stages/stage.ts";

const loopback = /^(127\.|::1$|::ffff:127\.)/;
const events = {
  connect: "connection refused",
  secure: "connection refused",
  auth: "login refused",
  helo: "sender refused",
  mail: "sender refused",
  rcpt: "recipient refused",
};

/** What a conversation uses from outside. */
export interface Means {
  log: Log;
  mailLog: MailLog;
  events: Pick<Events, "checkObjected" | "clueFound">;
  /** A number that no mail has had. */
  newId(): Promise<number>;
}

/** One connection on its way through the stages. Refusals are thrown, as Refusal. */
export class Conversation {
  readonly #stages: Stages;
  readonly #means: Means;
  readonly #session: { -readonly [name in keyof Session]: Session[name] };
  readonly #ending: (() => void)[] = [];
  #isOver = false;
  /** What the checks of each stage found; for RCPT, see `#recipients`. */
  readonly #found = new Map<Stage, Found>();
  readonly #recipients = new WeakMap<SMTPServerAddress, Addressed>();
  #accepted: Addressed[] = [];
  /** The HELO name that passed the checks. */
  #judged: string | undefined;
  #mailId: number | undefined;

  /** `isTrusted`: no limit applies to the peer, as to our own machine. */
  constructor({ remoteAddress: address }: SMTPServerSession, stages: Stages, means: Means, isTrusted = false) {
    this.#stages = stages;
    this.#means = means;
    this.#session = {
      address,
      network: networkOf(address),
      isLoopback: isTrusted || loopback.test(address),
      helo: "",
      onEnd: (work) => {
        if (this.#isOver) work();
        else this.#ending.push(work);
      },
    };
  }

  get session(): Session {
    return this.#session;
  }

  /** The number of the mail since MAIL. Whatever is refused from then on has it in the log. */
  async mailId(): Promise<number> {
    this.#mailId ??= await this.#means.newId();
    return this.#mailId;
  }

  /** Who the peer is, for the log. */
  get peer() {
    const { address, helo, tls } = this.#session;
    return { remoteAddress: address, ...(helo !== "" && { helo }), ...(tls !== undefined && { tls }) };
  }

  async connected(): Promise<void> {
    await this.#run("connect", {}, {});
  }

  /** RFC 3207 §4.2: forgets what the peer said before TLS. */
  async secured({ tlsOptions }: SMTPServerSession): Promise<void> {
    delete this.#session.login;
    this.#session.helo = "";
    if (tlsOptions) this.#session.tls = `${tlsOptions.version} ${tlsOptions.standardName ?? tlsOptions.name}`;
    await this.#run("secure", {}, {});
  }

  /** RFC 4954: authenticates the peer. Throws Refusal when no check knows the credentials. */
  async authenticated(credentials: Credentials, said: SMTPServerSession): Promise<string> {
    this.#hear(said);
    const { username } = credentials;
    const { login } = await this.#run("auth", { credentials }, { username });
    if (login === undefined) throw new Refusal(535, "5.7.8 authentication failed");
    this.#session.login = login;
    return login.login;
  }

  /** MAIL. First judges the name of the last HELO or EHLO, which the library does not report earlier. */
  async sender(address: SMTPServerAddress, said: SMTPServerSession): Promise<void> {
    this.#hear(said);
    // Without an answer of the database the mail has its number later, or none.
    this.#mailId = await this.#means.newId().catch(() => undefined);
    const told = { from: address.address };
    const { helo } = this.#session;
    if (!this.#found.has("helo") || this.#judged !== helo) await this.#run("helo", {}, told);
    this.#judged = helo;
    this.#accepted = [];
    await this.#run("mail", { ...transactionOf(address, said), path: pathOf(address) }, told);
  }

  async recipient(address: SMTPServerAddress, said: SMTPServerSession): Promise<void> {
    const sender = said.envelope.mailFrom as SMTPServerAddress;
    const recipients = said.envelope.rcptTo.length;
    const asked = { ...transactionOf(sender, said), path: pathOf(address), recipients };
    const told = { from: sender.address, to: [address.address] };
    const { userId, entry, isOutgoing } = await this.#run("rcpt", asked, told);
    if (userId !== undefined) {
      const recipient = { address: address.address, userId, ...(entry && { entry }) };
      this.#recipients.set(address, recipient);
      this.#accepted.push(recipient);
    } else if (!isOutgoing) throw new Error("no check has found the recipient's account");
  }

  /** One for each RCPT that was accepted, in their order: a recipient may have been named twice. */
  get accepted(): readonly Addressed[] {
    return this.#accepted;
  }

  /** The recipients that have an account here. */
  envelope({ envelope: { mailFrom, rcptTo } }: SMTPServerSession): { mailFrom: string; recipients: Addressed[] } {
    return {
      mailFrom: mailFrom ? mailFrom.address : "",
      recipients: rcptTo.flatMap((one) => this.#recipients.get(one) ?? []),
    };
  }

  /** RFC 8689 §2 */
  requiresTls({ envelope }: SMTPServerSession): boolean {
    return envelope.requireTLS === true;
  }

  /** Runs the checks on the message and returns what they found. */
  message(content: Pick<Said["data"], "message" | "header">, said: SMTPServerSession): Promise<Found> {
    const sender = said.envelope.mailFrom as SMTPServerAddress;
    const { recipients } = this.envelope(said);
    return this.#pass("data", { ...transactionOf(sender, said), recipients, ...content });
  }

  ended(): void {
    this.#isOver = true;
    for (const work of this.#ending.splice(0)) work();
  }

  #hear({ hostNameAppearsAs }: SMTPServerSession): void {
    this.#session.helo = hostNameAppearsAs;
  }

  async #run<S extends Exclude<Stage, "data">>(stage: S, said: Said[S], told: object): Promise<Found> {
    try {
      return await this.#pass(stage, said);
    } catch (error) {
      if (error instanceof Refusal) {
        const { reason } = error;
        const reply = `${error.responseCode} ${error.message}`;
        const { log, mailLog } = this.#means;
        const step = { ...this.peer, ...told, reply, ...(reason !== undefined && { reason }) };
        // Refused connections can be many, so they do not fill the log.
        if (stage === "connect") log.debug(step, events.connect);
        else mailLog.tellRefusal(events[stage], { id: this.#mailId, ...step });
      }
      throw error;
    }
  }

  /** The first check that does not pass decides. Drops what this stage and later ones found before. */
  async #pass<S extends Stage>(stage: S, said: Said[S]): Promise<Found> {
    for (const later of stageOrder.slice(stageOrder.indexOf(stage))) this.#found.delete(later);
    const earlier = Object.assign({}, ...this.#found.values()) as Found;
    let found: Found = {};
    for (const check of this.#stages[stage] as readonly Check<S>[]) {
      const facts: Facts<S> = { ...said, ...earlier, ...found };
      const verdict = await check(this.#session, facts);
      if (verdict.kind !== "pass") {
        this.#means.events.checkObjected({ check: check.checkName ?? "other", verdict: verdict.kind });
        throw new Refusal(verdict.code, `${verdict.status} ${verdict.text}`, verdict.reason);
      }
      found = { ...found, ...verdict.found };
    }
    if (stage !== "rcpt") this.#found.set(stage, found);
    return { ...earlier, ...found };
  }
}

const pathOf = ({ address, args }: SMTPServerAddress): Path => ({ address, parameters: args || {} });

/** RFC 1870: a size above our limit was refused before. */
function transactionOf(sender: SMTPServerAddress, { envelope }: SMTPServerSession): Transaction {
  const { SIZE: text } = pathOf(sender).parameters;
  const size = typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return { mailFrom: sender.address, isUtf8: envelope.smtpUtf8 === true, size };
}
