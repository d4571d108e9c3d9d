import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from "node:fs";
import pg from "pg";
import { processesIn } from "../../src/postgres/postmaster.ts";
import { until } from "./ports.ts";

/** The server of a node of Citus on this machine, to be stopped, killed and started again. */
export class NodeProcess {
  readonly #url: string;
  readonly #folder: string;
  readonly #command: readonly string[];
  readonly #owner: { uid: number; gid: number };
  readonly #log: string;

  private constructor(url: string, folder: string, pid: number) {
    this.#url = url;
    this.#folder = folder;
    const program = readlinkSync(`/proc/${pid}/exe`);
    const [, ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    this.#command = [program, ...args];
    const { uid, gid } = statSync(folder);
    this.#owner = { uid, gid };
    const output = readlinkSync(`/proc/${pid}/fd/2`);
    this.#log = output.startsWith("/") ? output : "/dev/null";
  }

  /** The reason instead when it is on another machine, or this process may not signal it or start it. */
  static async find(url: string): Promise<NodeProcess | string> {
    const text = "SELECT pg_read_file('postmaster.pid') AS file";
    const file = await ask<{ file: string }>(url, text).then(
      ([row]) => row!.file,
      (error: Error) => `${error.message}\n`,
    );
    const [pid, folder = ""] = file.split("\n");
    try {
      process.kill(Number(pid), 0);
      if (readlinkSync(`/proc/${pid}/cwd`) !== folder) return `process ${pid} is another here`;
      const node = new NodeProcess(url, folder, Number(pid));
      const user = process.getuid?.();
      return user === 0 || user === node.#owner.uid ? node : `only user ${node.#owner.uid} can start ${folder}`;
    } catch (error) {
      return `${folder || pid}: ${(error as Error).message}`;
    }
  }

  /** SIGSTOP of all its processes: it hangs. */
  stop(): void {
    this.#signal("SIGSTOP");
  }

  continue(): void {
    this.#signal("SIGCONT");
  }

  /** SIGKILL of the postmaster; its children find that it is gone. */
  async kill(): Promise<void> {
    process.kill(Number(readFileSync(`${this.#folder}/postmaster.pid`, "utf8").split("\n")[0]), "SIGKILL");
    await until("its processes end", () => processesIn(this.#folder)?.length === 0, { timeoutMs: 30_000 });
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    const log = openSync(this.#log, "a");
    const child = spawn(program!, args, {
      cwd: this.#folder,
      // It outlives the tests.
      detached: true,
      stdio: ["ignore", log, log],
      ...(process.getuid?.() === 0 && this.#owner),
    });
    child.unref();
    closeSync(log);
    const answers = () => ask(this.#url, "SELECT 1").catch(() => undefined);
    await until(`${this.#folder} answers`, answers, { timeoutMs: 60_000, everyMs: 100 });
  }

  #signal(signal: NodeJS.Signals): void {
    for (const pid of processesIn(this.#folder) ?? []) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

async function ask<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Row>(`/* test */ ${text}`)).rows;
  } finally {
    await client.end();
  }
}
