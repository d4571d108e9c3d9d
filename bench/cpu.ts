import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, which Linux fixes at 100 for user space. */
const tickMs = 10;

type Stat = { pid: number; parent: number; ticks: number };

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command is in parentheses, and may itself contain spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [parent, utime, stime, cutime, cstime] = [1, 11, 12, 13, 14].map((at) => Number(fields[at])) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { pid, parent, ticks: utime + stime + cutime + cstime };
  } catch {
    return undefined;
  }
}

/**
 * CPU in ms of these processes and all their descendants since they started. A process that ended is in its parent's
 * cutime and cstime once it was waited for, so a short-lived database backend is not lost.
 */
export function cpuMs(roots: number[]): number {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((one) => one !== undefined);
  const inside = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const one of all) {
      if (inside.has(one.pid) || !inside.has(one.parent)) continue;
      inside.add(one.pid);
      grown = true;
    }
  }
  return all.reduce((sum, one) => (inside.has(one.pid) ? sum + one.ticks * tickMs : sum), 0);
}

export type Used = { cpu: number | undefined; databaseCpu: number | undefined };

/** Starts to watch: the result tells how many ms of CPU each of so many requests took since then. */
export function watchCpu(roots: number[], database: number[]): (requests: number) => Used {
  const used = (of: number[]): number => (of.length > 0 ? cpuMs(of) : Number.NaN);
  const before = [used(roots), used(database)] as const;
  return (requests) => {
    const [cpu, databaseCpu] = [(used(roots) - before[0]) / requests, (used(database) - before[1]) / requests];
    const known = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);
    return { cpu: known(cpu), databaseCpu: known(databaseCpu) };
  };
}

/** Waits until the processes use under 3% of a core for two seconds: background work must not count as a request's. */
export async function settle(roots: number[], limitMs: number): Promise<void> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    const before = cpuMs(roots);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    if (cpuMs(roots) - before < 60) return;
  }
}
