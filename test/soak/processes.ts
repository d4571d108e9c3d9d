import { readdirSync, readFileSync, readlinkSync } from "node:fs";

interface ProcessState {
  pid: number;
  parent: number;
  /** Resident, in MB. */
  megabytes: number;
}

function stateOf(pid: number): ProcessState | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) !== process.execPath) return undefined;
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
    return { pid, parent: number("PPid"), megabytes: number("VmRSS") / 1_024 };
  } catch {
    return undefined;
  }
}

/** The Node processes that this one started and that are there now. */
export function workersOf(parent: number): ProcessState[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return all.flatMap((name) => stateOf(Number(name)) ?? []).filter((one) => one.parent === parent);
}
