import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** For tests only: another process that starts the embedded database as Posthorn does. */
export interface Other {
  pid: number;
  /** The pid of its database server, or why there is none. */
  outcome: Promise<{ ready: number } | { error: string; name: string }>;
  /** Its exit code, or null if it was killed. */
  exit: Promise<number | null>;
  kill(): Promise<void>;
  /** Asks the process to stop, and waits until it has. */
  stop(): Promise<void>;
}

const module = pathToFileURL(`${import.meta.dirname}/embedded.ts`).href;
const script = `
  const { startEmbedded } = await import(${JSON.stringify(module)});
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  try {
    const postgres = await startEmbedded({ dataFolder: process.argv[1], log });
    process.stdin.on("data", async () => { await postgres.stop(); process.exit(0); });
    console.log(JSON.stringify({ ready: postgres.pid }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message, name: error.name }));
    process.exit(0);
  }`;

export function startOther(dataFolder: string, identity: { uid?: number; gid?: number } = {}): Other {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, dataFolder], {
    cwd: "/",
    stdio: ["pipe", "pipe", "ignore"],
    ...identity,
  });
  const outcome = new Promise<{ ready: number } | { error: string; name: string }>((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line)));
    child.once("exit", () => setImmediate(reject, new Error("the other process said nothing")));
  });
  outcome.catch(() => {});
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid ?? 0,
    outcome,
    exit,
    kill: () => end(child, exit, () => child.kill("SIGKILL")),
    stop: () => end(child, exit, () => child.stdin.write("stop\n")),
  };
}

async function end(child: ChildProcess, exit: Promise<unknown>, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  how();
  await exit;
}
