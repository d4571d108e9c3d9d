import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, connect } from "../../conformance/client/client.ts";
import { Balancer } from "./balancer.ts";
import type { CliResult } from "./commands.ts";
import { freePorts } from "./ports.ts";
import { TestServer, watch } from "./server.ts";
import type { System } from "./system.ts";

/** What each process of the fleet does: two of those that others connect to, so that one may die. */
const members = {
  "http 1": "http",
  "http 2": "http",
  "smtp-in 1": "smtp-in",
  "smtp-in 2": "smtp-in",
  worker: "worker,smtp-out",
} as const;
export type MemberName = keyof typeof members;

export interface FleetOptions {
  /** For all of them: the database, and what else they share. */
  env: Record<string, string>;
  /** (Default: a new one, removed by `dispose`.) */
  dataFolder?: string;
  /** After so long without an answer, twice, a process is taken to hang. (Default: 10 s, since tests keep them busy.) */
  maxAnswerMs?: number;
}

/** Several processes of one installation, behind one port for clients and one for peers. */
export class Fleet implements System {
  readonly members: ReadonlyMap<MemberName, TestServer>;
  readonly #http: Balancer;
  readonly #smtp: Balancer;
  readonly #temporary: string | undefined;

  private constructor(servers: Map<MemberName, TestServer>, temporary: string | undefined, maxAnswerMs: number) {
    this.members = servers;
    this.#temporary = temporary;
    const upstreams = (role: string, portOf: (server: TestServer) => number) =>
      [...servers]
        .filter(([name]) => members[name] === role)
        .map(([, server]) => ({ port: portOf(server), readyUrl: new URL("/readyz", server.metricsUrl).href }));
    const balancer = (kind: "requests" | "connections", role: string, portOf: (server: TestServer) => number) =>
      new Balancer(kind, upstreams(role, portOf), maxAnswerMs);
    this.#http = balancer("requests", "http", ({ httpPort }) => httpPort);
    this.#smtp = balancer("connections", "smtp-in", ({ smtpPort }) => smtpPort);
  }

  static async start({ env, dataFolder, maxAnswerMs = 10_000 }: FleetOptions): Promise<Fleet> {
    const temporary = dataFolder === undefined ? mkdtempSync(join(tmpdir(), "posthorn-fleet-")) : undefined;
    const data = dataFolder ?? join(temporary!, "data");
    if (temporary) watch(data, temporary);
    const names = Object.keys(members) as MemberName[];
    const ports = await freePorts(3 * names.length);
    const servers = new Map(
      names.map((name) => {
        const own = { ...env, POSTHORN_ROLES: members[name] };
        const options = { dataFolder: data, env: own, startTimeoutMs: 100_000 };
        return [name, new TestServer(options, ports.splice(0, 3) as [number, number, number])];
      }),
    );
    const fleet = new Fleet(servers, temporary, maxAnswerMs);
    try {
      // Two at a time: on a small machine more would each wait too long for the database.
      const waiting = [...servers.values()];
      while (waiting.length > 0) await Promise.all(waiting.splice(0, 2).map((server) => server.start()));
      await Promise.all([fleet.#http.listen(), fleet.#smtp.listen()]);
      return fleet;
    } catch (error) {
      await fleet.dispose().catch(() => {});
      throw error;
    }
  }

  get httpPort(): number {
    return this.#http.port;
  }

  get smtpPort(): number {
    return this.#smtp.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get #any(): TestServer {
    return this.members.get("worker")!;
  }

  cli(args: string[], stdin?: string): Promise<CliResult> {
    return this.#any.cli(args, stdin);
  }

  addAccount(address: string, password: string): Promise<void> {
    return this.#any.addAccount(address, password);
  }

  login(user: string, password: string): Promise<Client> {
    return connect({ url: this.url, user, password });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members.values()].map((server) => server.stop()));
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#http.close(), this.#smtp.close()]);
    const outcomes = await Promise.allSettled([...this.members.values()].map((server) => server.dispose()));
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }
}
