import { createHash } from "node:crypto";
import { openSession, type Server, type Session } from "./session.ts";
import type { Try } from "./tries.ts";

export interface ConnectionLimits {
  /** Transactions of a connection. (Default: 100) */
  maxUses?: number;
  /** From opening it to its last transaction's begin. (Default: 5 min) */
  maxAgeMs?: number;
  /** Servers close connections that wait for long, and may be cross about it. (Default: 5 s) */
  maxIdleMs?: number;
  /** Connections of this process that wait for a mail. (Default: 50) */
  maxIdle?: number;
}

/** Connections that have taken a mail and wait for another to the same server, with the same login and rules for TLS. */
export class Connections {
  readonly #hostname: string;
  readonly #limits: Required<ConnectionLimits>;
  /** By server; the oldest first. */
  readonly #idle = new Map<string, Session[]>();
  readonly #timers = new Map<Session, NodeJS.Timeout>();
  #isClosed = false;

  constructor(hostname: string, limits: ConnectionLimits = {}) {
    this.#hostname = hostname;
    this.#limits = { maxUses: 100, maxAgeMs: 5 * 60_000, maxIdleMs: 5_000, maxIdle: 50, ...limits };
  }

  /** How many wait. */
  get idle(): number {
    return this.#timers.size;
  }

  has(server: Server): boolean {
    return this.#idle.has(keyOf(server));
  }

  /** One that waits, or else undefined. */
  take(server: Server, attempt: Try): Session | undefined {
    const session = this.#idle.get(keyOf(server))?.at(-1);
    if (!session) return undefined;
    this.#remove(session);
    attempt.continues(session);
    session.conversation.listener = attempt;
    return session;
  }

  /** Throws Unreachable. */
  open(server: Server, attempt: Try): Promise<Session> {
    return openSession(server, this.#hostname, attempt);
  }

  /** Keeps a connection for another mail, or ends it. */
  give(session: Session): void {
    const { maxUses, maxAgeMs, maxIdleMs, maxIdle } = this.#limits;
    const { conversation } = session;
    const isOld = session.used >= maxUses || Date.now() - session.openedAt > maxAgeMs;
    if (this.#isClosed || isOld || !conversation.isUsable) {
      conversation.quit();
      return;
    }
    conversation.listener = unheard;
    if (this.#timers.size >= maxIdle) this.#end(this.#timers.keys().next().value!);
    const key = keyOf(session.server);
    this.#idle.set(key, [...(this.#idle.get(key) ?? []), session]);
    // What a server says meanwhile is that it closes the connection.
    conversation.onGone = () => this.#remove(session);
    this.#timers.set(session, setTimeout(() => this.#end(session), maxIdleMs).unref());
  }

  /** Ends those that wait, and from now on each that is given back. */
  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#timers.keys()]) this.#end(session);
  }

  #end(session: Session): void {
    this.#remove(session);
    session.conversation.quit();
  }

  #remove(session: Session): void {
    clearTimeout(this.#timers.get(session));
    this.#timers.delete(session);
    session.conversation.onGone = () => {};
    const key = keyOf(session.server);
    const left = (this.#idle.get(key) ?? []).filter((one) => one !== session);
    if (left.length > 0) this.#idle.set(key, left);
    else this.#idle.delete(key);
  }
}

const unheard = { said: () => {} };

/** All that must be the same. The name is in TLS, and in what is reported. */
function keyOf({ name, address, port, isSecure = false, requireTls = false, login, tls, source }: Server): string {
  const pass = login && createHash("sha256").update(login.pass).digest("base64");
  return JSON.stringify([
    name,
    address,
    port,
    isSecure,
    requireTls,
    login?.user,
    pass,
    tls?.key,
    source?.address,
    source?.name,
  ]);
}
