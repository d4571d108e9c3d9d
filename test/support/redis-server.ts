import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./ports.ts";

/** Why this machine cannot run Redis; undefined if it can. */
export const whyNoRedis =
  spawnSync("redis-server", ["--version"]).status === 0 ? undefined : "redis-server is not installed";

const running = new Set<RedisServer>();
process.on("exit", () => {
  for (const server of running) server.kill();
});

/** A redis-server of its own, without a file. */
export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "posthorn-redis-"));
  readonly #args: string[];
  #child: ChildProcess | undefined;

  /** `file`: with the configuration of a Sentinel. */
  constructor(port: number, args: string[], file?: string) {
    this.port = port;
    const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", this.#folder];
    this.#args = file === undefined ? [...own, "--save", "", ...args] : [file, ...own, ...args];
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async start(): Promise<this> {
    this.#child = spawn("redis-server", this.#args, { stdio: "ignore" });
    running.add(this);
    await until(`redis on port ${this.port}`, () => accepts(this.port));
    return this;
  }

  /** SIGKILL, which loses all that it has. */
  kill(): void {
    running.delete(this);
    this.#child?.kill("SIGCONT");
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    this.kill();
    await ended;
  }

  /** Stops it as a hanging machine would: connections stay, and nothing is answered. */
  hang(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Runs a command, and returns what redis-cli prints. */
  cli(...args: string[]): string {
    return execFileSync("redis-cli", ["-p", String(this.port), ...args], { encoding: "utf8" }).trim();
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).then((outcome) => {
    socket.destroy();
    return outcome as boolean;
  });
}
