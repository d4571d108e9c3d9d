import pg from "pg";
import { inTime } from "../../base/in-time.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { NotPrimary } from "./errors.ts";
import { clientOptions } from "./pool.ts";
import { type Fence, type Role, roleOf } from "./role.ts";

/** How long a server has to answer; a new connection takes longer on a busy machine. */
const maxAnswerMs = 1_000;
const maxMeetMs = 2_000;

/** What keeps a primary that was replaced from being used. */
export interface Guard {
  fence: Fence;
  /** Looks for a newer primary elsewhere; false when nobody can be asked. */
  look?: () => Promise<boolean>;
}

interface Met {
  address: ConnectionOptions;
  client: pg.Client;
  /** Undefined without a guard. */
  role: Role | undefined;
}

/** Asks a server whether it is there, and finds at which of its addresses the primary is. */
export class Finder {
  readonly #addresses: readonly ConnectionOptions[];
  readonly #guard: Guard | undefined;
  #address: ConnectionOptions | undefined;
  /** The connection by which it is asked. */
  #prober: pg.Client | undefined;

  /** Without a guard any server will do: the first that answers is used. */
  constructor(addresses: readonly ConnectionOptions[], guard: Guard | undefined) {
    this.#addresses = addresses;
    this.#guard = guard;
    if (addresses.length === 1) this.#address = addresses[0];
  }

  /** The address in use; undefined until the first answer if there are several. */
  get address(): ConnectionOptions | undefined {
    return this.#address;
  }

  /** Asks the server, and looks at all addresses when it does not answer or is not the primary. Throws if none is. */
  async ask(): Promise<void> {
    const prober = this.#prober;
    if (!prober) return this.#look();
    try {
      this.#approve(await inTime(this.#question(prober), maxAnswerMs), true);
    } catch (error) {
      this.drop();
      if (this.#addresses.length === 1) throw error;
      await this.#look();
    }
  }

  /** Throws if a new connection is not to the primary. */
  async verify(client: pg.ClientBase): Promise<void> {
    const isSure = (await this.#guard?.look?.()) ?? true;
    this.#approve(await this.#question(client), isSure);
  }

  /** Closes the connection by which it asks. */
  drop(): void {
    this.#prober?.connection.stream.destroy();
    this.#prober = undefined;
  }

  async #look(): Promise<void> {
    const asked = await Promise.allSettled(this.#addresses.map((address) => this.#meet(address)));
    const met = asked.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    // Of two primaries, the true one is that which was promoted last.
    met.sort((one, other) => (other.role?.timeline ?? 0) - (one.role?.timeline ?? 0));
    const isSure = met.length === asked.length;
    const chosen = met.find(({ role }) => this.#objection(role, isSure) === undefined);
    for (const { client } of met) if (client !== chosen?.client) client.connection.stream.destroy();
    if (chosen) {
      this.#address = chosen.address;
      this.#prober = chosen.client;
      this.#prober.once("end", () => {
        if (this.#prober === chosen.client) this.#prober = undefined;
      });
    } else if (met[0]) this.#approve(met[0].role, isSure);
    else {
      const { reason } = asked[0] as PromiseRejectedResult;
      // A server that refuses a connection has answered, unless it is starting or stopping.
      const isAnswer = reason instanceof pg.DatabaseError && !/^(57P|08)/.test(reason.code ?? "");
      if (!isAnswer || this.#address === undefined) throw reason;
    }
  }

  async #meet(address: ConnectionOptions): Promise<Met> {
    const client = new pg.Client({ ...clientOptions, ...address });
    client.on("error", () => {});
    try {
      const asked = client.connect().then(() => this.#question(client));
      return { address, client, role: await inTime(asked, maxMeetMs) };
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
  }

  async #question(client: pg.ClientBase): Promise<Role | undefined> {
    if (this.#guard) return roleOf(client);
    await client.query("SELECT 1");
    return undefined;
  }

  #objection(role: Role | undefined, isSure: boolean): string | undefined {
    return role && this.#guard?.fence.objection(role, isSure);
  }

  #approve(role: Role | undefined, isSure: boolean): void {
    const objection = this.#objection(role, isSure);
    if (objection !== undefined) throw new NotPrimary(objection);
  }
}
