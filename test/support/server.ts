import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../conformance/client/client.ts";
import type { ConnectionOptions } from "../../src/store/core/connection-options.ts";
import { type Clone, cloneOnCitus, isOnCitus } from "./citus.ts";
import { type CliResult, runCommand } from "./commands.ts";
import { freePorts } from "./ports.ts";

export type ServerOptions = {
  /** (Default: a new one below the system's temporary folder, removed by `dispose`.) */
  dataFolder?: string;
  env?: Record<string, string>;
  args?: string[];
  /** (Default: 45000, under the limit of a hook, whose report then shows the output.) */
  startTimeoutMs?: number;
  /** The command that runs Posthorn. (Default: that of the checkout.) */
  program?: [command: string, ...args: string[]];
  /** Keeps the embedded database when the other tests run on Citus. */
  isEmbedded?: true;
  /** Its database is on the server that all tests share, which spares the start of one: for tests of what is above it. */
  isShared?: true;
};

const ofCheckout: [string, string] = [
  process.execPath,
  fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url)),
];
const running = new Set<TestServer>();
process.on("exit", () => {
  for (const server of running) server.killAll();
});

/**
 * A test run that is killed can clean up nothing, so a shell outlives it: once this process or the folder is gone, it
 * ends whatever still runs on the folder.
 */
export function watch(dataFolder: string, temporary: string | undefined): void {
  const script = `
    while kill -0 "$1" 2>/dev/null && { [ -z "$3" ] || [ -d "$3" ]; }; do sleep 2; done
    mine() { grep -lsxz "POSTHORN_DATA=$2" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vx "$$"; }
    for pid in $(mine "$@"); do kill -TERM "$pid"; done
    sleep 3
    for pid in $(mine "$@"); do kill -KILL "$pid"; done
    pid=$(head -n 1 "$2/pg/postmaster.pid" 2>/dev/null)
    [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$2/pg" ] && kill -QUIT "$pid" && sleep 1
    [ -n "$3" ] && rm -rf "$3"`;
  const args = ["-c", script, "watch", String(process.pid), dataFolder, temporary ?? ""];
  spawn("sh", args, { stdio: "ignore", detached: true }).unref();
}

/** Posthorn as a child process on free ports. */
export class TestServer {
  readonly dataFolder: string;
  readonly httpPort: number;
  readonly smtpPort: number;
  readonly metricsPort: number;
  readonly url: string;
  readonly metricsUrl: string;
  readonly env: Record<string, string>;
  #child: ChildProcess | undefined;
  #output = "";
  readonly #options: ServerOptions;
  readonly #temporary: string | undefined;
  #clone: Clone | undefined;

  constructor(options: ServerOptions, [httpPort, smtpPort, metricsPort]: [number, number, number]) {
    this.#options = options;
    if (options.dataFolder === undefined) {
      this.#temporary = mkdtempSync(join(tmpdir(), "posthorn-server-"));
      // Started as root, the database runs as another user, who must be able to enter this folder.
      chmodSync(this.#temporary, 0o711);
    }
    this.dataFolder = options.dataFolder ?? join(this.#temporary as string, "data");
    [this.httpPort, this.smtpPort, this.metricsPort] = [httpPort, smtpPort, metricsPort];
    this.url = `http://127.0.0.1:${httpPort}`;
    this.metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
    this.env = {
      POSTHORN_DATA: this.dataFolder,
      POSTHORN_HTTP: `127.0.0.1:${httpPort}`,
      POSTHORN_SMTP: `127.0.0.1:${smtpPort}`,
      POSTHORN_METRICS: `127.0.0.1:${metricsPort}`,
      // Tests query no real DNS: without its own DNS server, a look-up fails at once.
      POSTHORN_RESOLVER: "127.0.0.1:1",
      // The same on every machine.
      POSTHORN_WORKERS: "1",
      // It would be built at each start.
      POSTHORN_WEB: "off",
      // Tests send more than a new account may.
      POSTHORN_SENDING_LIMITS: "false",
      ...options.env,
    };
    watch(this.dataFolder, this.#temporary);
  }

  /** All that the server has printed, over every start. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    if (!this.#child?.pid) throw new Error("the server is not running");
    return this.#child.pid;
  }

  get child(): ChildProcess {
    if (!this.#child) throw new Error("the server was never started");
    return this.#child;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Options of pg for the server's database. */
  get connection(): ConnectionOptions {
    if (this.#clone) return { connectionString: this.#clone.url };
    return { host: join(this.dataFolder, "run"), user: "posthorn", database: "posthorn" };
  }

  /** The process id in the embedded Postgres's postmaster.pid. */
  postgresPid(): number {
    return Number(readFileSync(join(this.dataFolder, "pg", "postmaster.pid"), "utf8").split("\n")[0]);
  }

  /** Spawns without waiting until it serves: for starts that must fail or race. */
  spawn(): ChildProcess {
    const [command, ...args] = this.#options.program ?? ofCheckout;
    const child = spawn(command, [...args, "serve", ...(this.#options.args ?? [])], {
      env: this.#environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8");
      stream?.on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.#child = child;
    running.add(this);
    return child;
  }

  async start(): Promise<this> {
    if (!this.#clone && this.env.DATABASE_URL === undefined && !this.#options.isEmbedded) {
      if (isOnCitus) this.#clone = await cloneOnCitus("migrated");
      // Only a test has the shared one.
      else if (this.#options.isShared) this.#clone = await (await import("./shared-database.ts")).cloneShared();
      if (this.#clone) this.env.DATABASE_URL = this.#clone.url;
    }
    this.spawn();
    await this.ready();
    return this;
  }

  async ready(): Promise<void> {
    const limit = this.#options.startTimeoutMs ?? 45_000;
    const end = Date.now() + limit;
    const isHttp = (this.env.POSTHORN_ROLES ?? "http").split(",").includes("http");
    for (;;) {
      if (!this.running) throw new Error(`the server ended before it was ready:\n${this.#output}`);
      const status = await fetch(new URL("/readyz", isHttp ? this.url : this.metricsUrl), {
        headers: { connection: "close" },
      }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        () => 0,
      );
      if (status === 200) return;
      if (Date.now() > end) {
        await this.kill();
        throw new Error(`the server was not ready in ${limit} ms:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Stops by SIGTERM; an exit code other than 0 is an error. */
  async stop(timeoutMs = 20_000): Promise<void> {
    if (!this.running) return;
    const { code, signal } = await this.#end("SIGTERM", timeoutMs);
    if (code !== 0) throw new Error(`the server stopped with ${code ?? signal}:\n${this.#output}`);
  }

  /** SIGKILL of the server alone: its database stays, as after a real crash. */
  async kill(): Promise<void> {
    if (this.running) await this.#end("SIGKILL", 10_000);
  }

  /** Stops the server if it runs, then starts it on the same folder and ports. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<{ code: number | null; signal: string | null }> {
    const child = this.#child as ChildProcess;
    let late = false;
    const result = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      const timer = setTimeout(() => {
        late = true;
        child.kill("SIGKILL");
      }, timeoutMs);
      child.once("exit", (code, by) => {
        clearTimeout(timer);
        // Lets the last output in. Waiting for `close` would wait for a surviving database that holds the pipe.
        setTimeout(() => resolve({ code, signal: by }), 20);
      });
      child.kill(signal);
    });
    running.delete(this);
    if (late) throw new Error(`the server did not end ${timeoutMs} ms after ${signal}:\n${this.#output}`);
    return result;
  }

  /** Stops the server, ends a database left behind and removes a temporary folder. */
  async dispose(): Promise<void> {
    try {
      await this.stop();
    } finally {
      this.killAll();
      await this.#clone?.drop();
      if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    }
  }

  /** Ends the server and its database at once; never waits. */
  killAll(): void {
    running.delete(this);
    if (this.running) this.#child?.kill("SIGKILL");
    try {
      const pid = this.postgresPid();
      // The file may be stale, and the id may belong to another process by now.
      if (readlinkSync(`/proc/${pid}/cwd`) === join(this.dataFolder, "pg")) process.kill(pid, "SIGQUIT");
    } catch {
      // No database is left.
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(POSTHORN_|VITEST|NODE_ENV)/.test(name));
    return { ...Object.fromEntries(inherited), ...this.env };
  }

  /** Runs `posthorn ARGS` with the server's options. */
  cli(args: string[], stdin = ""): Promise<CliResult> {
    if (args[0] === "serve" || this.#options.program) return this.spawnCli(args, stdin);
    return runCommand({ args, env: this.#environment(), stdin });
  }

  /** The same as its users run it, in a process of its own. */
  spawnCli(args: string[], stdin = ""): Promise<CliResult> {
    const [command, ...first] = this.#options.program ?? ofCheckout;
    const child = spawn(command, [...first, ...args], { env: this.#environment(), stdio: "pipe" });
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8");
      child[name].on("data", (text: string) => {
        out[name] += text;
      });
    }
    // A command that refuses its arguments may end before it reads.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, ...out }));
    });
  }

  async addAccount(address: string, password: string): Promise<void> {
    const result = await this.cli(["account", "add", address, "--password-stdin"], `${password}\n`);
    if (result.code !== 0) throw new Error(`account add ${address}: ${result.code}\n${result.stdout}${result.stderr}`);
  }

  login(user: string, password: string): Promise<Client> {
    return connect({ url: this.url, user, password });
  }
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const server = new TestServer(options, (await freePorts(3)) as [number, number, number]);
  try {
    return await server.start();
  } catch (error) {
    await server.dispose().catch(() => {});
    throw error;
  }
}
