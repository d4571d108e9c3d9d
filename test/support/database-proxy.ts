import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TestServer } from "./postgres-setup.ts";

/** The host may be the folder of its socket. */
type Target = TestServer & { port?: number };

/** A Postgres on a TCP port that can hang, as a stopped process does, or be gone, as a killed one is. */
export class DatabaseProxy {
  readonly #target: Target;
  readonly #pairs = new Set<[Socket, Socket]>();
  #server: Server;
  #port = 0;
  #isStalled = false;
  /** How many connections were made so far. */
  connections = 0;

  private constructor(target: Target) {
    this.#target = target;
    this.#server = this.#listener();
  }

  static async start(target: Target): Promise<DatabaseProxy> {
    const proxy = new DatabaseProxy(target);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  get url(): string {
    return `postgres://${this.#target.user}@127.0.0.1:${this.#port}/${this.#target.database}`;
  }

  /** Takes connections and bytes, and answers nothing. */
  stall(): void {
    this.#isStalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  resume(): void {
    this.#isStalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Breaks all connections and refuses others. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    await closed;
  }

  async mend(): Promise<void> {
    this.#server = this.#listener();
    await this.#listen();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #listener(): Server {
    return createServer({ pauseOnConnect: true }, (client) => {
      this.connections++;
      const { host, port = 5432 } = this.#target;
      const server = host.startsWith("/") ? connect(join(host, ".s.PGSQL.5432")) : connect(port, host);
      const pair: [Socket, Socket] = [client, server];
      this.#pairs.add(pair);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on("data", (bytes) => to.write(bytes));
        from.on("error", () => {});
        from.on("close", () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
        if (this.#isStalled) from.pause();
        else from.resume();
      }
    });
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }
}
