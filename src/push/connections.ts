import type { Log } from "../base/log.ts";
import type { Bus } from "./bus.ts";

export type CloseReason = "revoked" | "draining";

/** A connection that stays open to push. */
export interface Connection {
  readonly login: string;
  close(reason: CloseReason): void;
  /** Whether its credential still opens what it opened; undefined while nobody can tell. */
  isValid(): Promise<boolean | undefined>;
}

/** Whether credentials looked at again open what a connection hears of, no less and no more. */
export function opensSame(
  again: { login: string; accounts: readonly { id: number }[] } | "throttled" | undefined,
  login: string,
  accountIds: readonly number[],
): boolean | undefined {
  if (again === "throttled") return undefined;
  const open = new Set(again?.accounts.map(({ id }) => id));
  return again?.login === login && open.size === accountIds.length && accountIds.every((id) => open.has(id));
}

export interface ConnectionsOptions {
  bus: Pick<Bus, "onRevoked">;
  log: Log;
  /** Aborted when the server drains. */
  draining: AbortSignal;
  /** Connections of one login at a time. (Default: 64) */
  maxPerLogin?: number;
  /** How often a credential is looked at again, for those that expire or whose revocation got lost, in ms. (Default: 900 000) */
  checkInterval?: number;
}

/** Open connections by login: they end when their own credential is revoked or expires, and when the server drains. */
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
      for (const connection of all) connection.close("draining");
    });
  }

  get draining(): boolean {
    return this.#options.draining.aborted;
  }

  /** Whether a login has no room for one more. */
  isFull(login: string): boolean {
    return (this.#byLogin.get(login)?.size ?? 0) >= (this.#options.maxPerLogin ?? 64);
  }

  add(connection: Connection): void {
    const connections = this.#byLogin.get(connection.login) ?? new Map<Connection, NodeJS.Timeout>();
    this.#byLogin.set(connection.login, connections);
    const timer = setInterval(() => void this.#check(connection, false), this.#options.checkInterval ?? 900_000);
    connections.set(connection, timer.unref());
    // Draining may have begun while the connection was being made.
    if (this.draining) connection.close("draining");
  }

  delete(connection: Connection): void {
    const connections = this.#byLogin.get(connection.login);
    clearInterval(connections?.get(connection));
    connections?.delete(connection);
    if (connections?.size === 0) this.#byLogin.delete(connection.login);
  }

  /** After a revocation, only what is surely valid stays open. */
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
