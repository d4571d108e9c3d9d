import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Which process owns the data folder, noted beside the lock: the lock is free for a moment when the server loses its
 * connections, and nobody may slip in while the owner lives and is about to take it again.
 */
const recordIn = (dataFolder: string) => join(dataFolder, "owner");

/** When a running process was started, in ticks since boot; undefined for one that is gone, dead or frozen. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /[ZXxTt]/.test(fields[0] ?? "") ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export interface Owner {
  pid: number;
  /** A command, which will soon be through. */
  isPassing: boolean;
}

export function recordOwner(dataFolder: string, isPassing: boolean): void {
  const record = [process.pid, startOf(process.pid) ?? "", ...(isPassing ? ["passing"] : [])].join(" ");
  writeFileSync(recordIn(dataFolder), `${record}\n`, { mode: 0o600 });
}

export function clearOwner(dataFolder: string): void {
  if (recordedOwner(dataFolder)?.pid === process.pid) rmSync(recordIn(dataFolder), { force: true });
}

/** The owner, if it still runs. A number that now belongs to another process has another start. */
export function recordedOwner(dataFolder: string): Owner | undefined {
  if (!existsSync(recordIn(dataFolder))) return undefined;
  const [pid, start, kind] = readFileSync(recordIn(dataFolder), "utf8").trim().split(" ");
  return start !== undefined && startOf(Number(pid)) === start
    ? { pid: Number(pid), isPassing: kind === "passing" }
    : undefined;
}
