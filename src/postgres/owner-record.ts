import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Records which process owns the data folder, in addition to the lock: when the server loses its connections the lock is
 * free for a moment, and no other process may take it while the owner is alive and about to take it again.
 */
const recordIn = (dataFolder: string) => join(dataFolder, "owner");

/** When a process was started, in ticks since boot; undefined if it is gone, a zombie or stopped. */
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
  /** The owner is a short-lived command. */
  isPassing: boolean;
}

export function recordOwner(dataFolder: string, isPassing: boolean): void {
  const record = [process.pid, startOf(process.pid) ?? "", ...(isPassing ? ["passing"] : [])].join(" ");
  writeFileSync(recordIn(dataFolder), `${record}\n`, { mode: 0o600 });
}

export function clearOwner(dataFolder: string): void {
  if (recordedOwner(dataFolder)?.pid === process.pid) rmSync(recordIn(dataFolder), { force: true });
}

/** The owner, if it still runs. The start time tells it from a later process with the same pid. */
export function recordedOwner(dataFolder: string): Owner | undefined {
  if (!existsSync(recordIn(dataFolder))) return undefined;
  const [pid, start, kind] = readFileSync(recordIn(dataFolder), "utf8").trim().split(" ");
  return start !== undefined && startOf(Number(pid)) === start
    ? { pid: Number(pid), isPassing: kind === "passing" }
    : undefined;
}
