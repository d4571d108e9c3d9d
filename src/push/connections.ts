import type { Ending } from "../base/ending.ts";
import type { Log } from "../base/log.ts";
import type { Bus } from "./bus.ts";

export type CloseReason = "revoked" | Ending;

/** An open connection that receives pushes. */
export interface Connection {
  readonly login: string;
  close(reason: CloseReason): void;
  /** Whether its credential still opens the same accounts; undefined if that cannot be told now. */
  isValid(): Promise<boolean | undefined>;
}

/** Whether credentials, checked again, open exactly the accounts that the connection hears of. */
export function opensSame(
  again: { login: string; accounts: readonly { id: number }[] } | "throttled" | "secondFactor" | undefined,
  login: string,
  accountIds: readonly number[],
): boolean | undefined {
  if (again === "throttled") return undefined;
  if (again === "secondFactor") return false;
  const open = new Set(again?.accounts.map(({ id }) => id));
  return again?.login === login && open.size === accountIds.length && accountIds.every((id) => open.has(id));
}

export interface ConnectionsOptions {
  bus: Pick<Bus, "onRevoked">;
  log: Log;
  /** Aborted when the server drains; the reason is an Ending. (Default: "stop") */
  draining: AbortSignal;
  /** How often a credential is checked again, in case it expired or its revocation was lost, in ms. (Default: 900 000) */
  checkIntervalMs?: number;
}

/** In a restart, so many clients per second are sent away, since each has to sign in again. */
const closedPerSecond = 100;
const minSpreadMs = 1_000;
const maxSpreadMs = 60_000;

/** Open connections by login. Closes those whose credential is revoked or expires, and all when the server drains. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #byLogin = new Map<string, Map<Connection, NodeJS.Timeout>>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    options.bus.onRevoked((login) => {
      for (const connection of this.#byLogin.get(login)?.keys() ?? []) void this.#check(connection, true);
    });
    options.draining.addEventListener("abort", () => {
      const all = [...this.#byLogin.values()].flatMap((connections) => [...connections.keys()]);
      for (const connection of all) this.#drain(connection, all.length);
    });
  }

  /** Whether new connections are to be refused, since nobody will serve them. */
  get isStopping(): boolean {
    return this.#ending === "stop";
  }

  get #ending(): Ending | undefined {
    const { aborted, reason } = this.#options.draining;
    if (!aborted) return undefined;
    return reason === "restart" ? "restart" : "stop";
  }

  add(connection: Connection): void {
    const connections = this.#byLogin.get(connection.login) ?? new Map<Connection, NodeJS.Timeout>();
    this.#byLogin.set(connection.login, connections);
    const timer = setInterval(() => void this.#check(connection, false), this.#options.checkIntervalMs ?? 900_000);
    connections.set(connection, timer.unref());
    // Draining may have begun while the connection was being made.
    if (this.#ending) this.#drain(connection, 1);
  }

  /** Closes one of `count` connections: at once if the server stops, in a restart at a random moment. */
  #drain(connection: Connection, count: number): void {
    if (this.#ending === "stop") {
      connection.close("stop");
      return;
    }
    const spreadMs = Math.min(Math.max((count / closedPerSecond) * 1_000, minSpreadMs), maxSpreadMs);
    const close = () => {
      if (this.#byLogin.get(connection.login)?.has(connection)) connection.close("restart");
    };
    setTimeout(close, Math.random() * spreadMs).unref();
  }

  delete(connection: Connection): void {
    const connections = this.#byLogin.get(connection.login);
    clearInterval(connections?.get(connection));
    connections?.delete(connection);
    if (connections?.size === 0) this.#byLogin.delete(connection.login);
  }

  /** After a revocation, a connection stays open only if its credential is known to be valid. */
  async #check(connection: Connection, isRevocation: boolean): Promise<void> {
    let isValid: boolean | undefined;
    try {
      isValid = await connection.isValid();
    } catch (error) {
      this.#options.log.warn({ reason: (error as Error).message }, "credential not checked again");
    }
    if (isValid === false || (isRevocation && !isValid)) connection.close("revoked");
  }
}
