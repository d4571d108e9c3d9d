import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { programEnvironment } from "./binaries.ts";
import type { Layout } from "./layout.ts";
import { serverSettings } from "./settings.ts";

const maxLogBytes = 8 * 2 ** 20;

/** Runs one of the package's programs as Postgres's user, in a process group of its own so that Ctrl-C does not reach it. */
export function spawnProgram(layout: Layout, name: string, args: string[], output: number | "pipe"): ChildProcess {
  const { uid, gid } = layout.user;
  const [program, ...rest] = [...(layout.pass ?? []), join(layout.binaries.native, "bin", name), ...args];
  return spawn(program as string, rest, {
    cwd: layout.data,
    env: programEnvironment(layout.binaries, layout.links),
    stdio: ["ignore", output, output],
    detached: true,
    ...(process.getuid?.() === 0 && !layout.pass ? { uid, gid } : {}),
  });
}

export function serverArguments(layout: Layout): string[] {
  return ["-D", layout.pg, ...serverSettings(layout.run, layout.binaries.version)];
}

/** The output goes to a file and not to a pipe, because the server outlives this process when that is killed. */
export function spawnServer(layout: Layout): ChildProcess {
  const log = openSync(layout.logFile, "a", 0o600);
  try {
    const child = spawnProgram(layout, "postgres", serverArguments(layout), log);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** Moves a long log to one older file. The server appends, so truncating the file beneath it is safe. */
export function trimLog(file: string, maxBytes: number = maxLogBytes): void {
  if (!existsSync(file) || statSync(file).size < maxBytes) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}

/**
 * Why the server with that pid did not start, from the log after `offset`, where other servers may write too. Often a child
 * process failed, such as recovery on a full disk; the server then logs the child's pid.
 */
export function lastComplaint(file: string, offset: number, pid: number): string | undefined {
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file).subarray(offset).toString("utf8").trim().split("\n");
  const linesOf = (writer: number | string) => lines.filter((line) => line.includes(`[${writer}]`));
  const fatalOf = (writer: number | string) => linesOf(writer).findLast((line) => /\b(FATAL|PANIC):/.test(line));
  const endOfChild = linesOf(pid).find((line) => endOfProcess.test(line));
  const child = endOfChild && endOfProcess.exec(endOfChild)![1]!;
  // The loader, when a library is missing, writes lines without the log prefix.
  const foreign = lines.filter((line) => !/^\d{4}-\d\d-\d\d |^\s|^$/.test(line));
  const complaint = fatalOf(pid) ?? (child && fatalOf(child)) ?? endOfChild ?? foreign.at(-1);
  return complaint?.replace(/^.*?\b(FATAL|PANIC|LOG):\s*/, "").trim();
}

const endOfProcess = /process \(PID (\d+)\) (?:exited with|was terminated)/;

/** Whether the complaint is temporary: another start was faster, or the remains of a killed server are still there. */
export function isPassing(complaint: string): boolean {
  return /lock file .* (already exists|is empty)|pre-existing shared memory block|could not create any Unix-domain sockets/.test(
    complaint,
  );
}

export function logSize(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

/** The server's pid as recorded in the data folder. It may be dead, or belong to another program by now. */
export function recordedPid(pg: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(pg, "postmaster.pid"), "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The command line that started the running server. */
export function recordedArguments(pg: string): string | undefined {
  try {
    return readFileSync(join(pg, "postmaster.opts"), "utf8").trim();
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  // A signal can be sent to a zombie too.
  const state = processState(pid);
  return state !== "Z" && state !== "X";
}

function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2];
  } catch {
    return undefined;
  }
}

/** Processes whose working folder is the database's; undefined where there is no /proc. */
export function processesIn(pg: string): number[] | undefined {
  if (process.platform !== "linux") return undefined;
  const folder = realpathSync(pg);
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => workingFolder(pid) === folder);
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/**
 * Clears what a hard kill left. Postgres refuses to start while the recorded pid is alive, even if that is an unreaped
 * zombie or an unrelated program with the same number, and while an orphaned backend still runs its last statement.
 */
export function clearRemains(layout: Layout): void {
  const recorded = recordedPid(layout.pg);
  const pids = processesIn(layout.pg);
  if (pids === undefined || (recorded !== undefined && pids.includes(recorded))) return;
  // The file is empty: its server is just starting, or was killed before it could write.
  if (recorded === undefined && pids.length > 0) return;
  // Another process started the server in the meantime.
  if (recordedPid(layout.pg) !== recorded) return;
  for (const pid of pids) kill(pid, "SIGKILL");
  if (pids.length > 0) return;
  removeFile(join(layout.pg, "postmaster.pid"));
  removeFile(join(layout.run, ".s.PGSQL.5432.lock"));
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is already gone.
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is already gone.
  }
}

/** Gives a file or folder to the user Postgres runs as. */
export function giveTo(layout: Layout, path: string): void {
  if (process.getuid?.() === 0) chownSync(path, layout.user.uid, layout.user.gid);
}
