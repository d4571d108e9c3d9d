import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { isAlive, kill, processesIn, recordedPid } from "../../src/postgres/postmaster.ts";
import { until } from "../support/ports.ts";

/** How its postmaster was started, to start it again in the same way. */
interface Start {
  command: string[];
  environment: Record<string, string>;
  user: { uid: number; gid: number };
  log: string | undefined;
}

/** A running Postgres of this machine, known by its data folder: plain, or a node of Citus. */
export class PostgresNode {
  readonly name: string;
  readonly port: number;
  readonly #folder: string;
  readonly #start: Start;

  constructor(name: string, folder: string) {
    this.name = name;
    this.#folder = folder;
    const pid = recordedPid(folder);
    if (pid === undefined || !isAlive(pid)) throw new Error(`no Postgres runs on ${folder}`);
    this.port = Number(readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")[3]);
    this.#start = startOf(pid, folder);
  }

  get pids(): number[] {
    const pid = recordedPid(this.#folder);
    return [...new Set([...(pid === undefined ? [] : [pid]), ...(processesIn(this.#folder) ?? [])])].filter(isAlive);
  }

  get isRunning(): boolean {
    return this.pids.length > 0;
  }

  /** SIGKILL of all its processes. */
  async kill(): Promise<void> {
    for (const pid of this.pids) kill(pid, "SIGKILL");
    await until(`the end of ${this.name}`, () => !this.isRunning);
  }

  /** Starts it if it is down, and waits until it answers. `url` names a database on it. */
  async start(url: string): Promise<void> {
    if (!this.isRunning) this.#spawn();
    const answers = () => query(url, "SELECT 1").catch(() => undefined);
    await until(`an answer of ${this.name}`, answers, { timeoutMs: 60_000, everyMs: 100 });
  }

  #spawn(): void {
    const { command, environment, user, log } = this.#start;
    const output = log === undefined ? ("ignore" as const) : openSync(log, "a");
    const [program, ...args] = command;
    const child = spawn(program!, args, {
      cwd: this.#folder,
      env: environment,
      stdio: ["ignore", output, output],
      detached: true,
      ...(process.getuid?.() === 0 && user),
    });
    child.on("error", () => {});
    child.unref();
    if (typeof output === "number") closeSync(output);
  }
}

function startOf(pid: number, folder: string): Start {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8").split("\0").filter(Boolean);
  const [, ...args] = read("cmdline");
  const environment = read("environ").map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const { uid, gid } = statSync(folder);
  const output = readlinkSync(`/proc/${pid}/fd/2`);
  return {
    command: [readlinkSync(`/proc/${pid}/exe`), ...args],
    environment: Object.fromEntries(environment),
    user: { uid, gid },
    log: output.startsWith("/") && output !== "/dev/null" ? output : undefined,
  };
}

/** Marked as a test's own, for the judges of all statements (`test/statements.test.ts`). */
export async function query<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Row>(`/* test */ ${text}`, values)).rows;
  } finally {
    await client.end();
  }
}
