import { hostname } from "node:os";

/** Who holds a lease: one process. */
export interface Holder {
  readonly name: string;
  /** True when it is certain that a holder is no more, so its leases need not run out first. */
  isGone(name: string): boolean;
}

/** Host, process and when it began: a process id comes again after a restart, and in containers always. */
export const thisProcess: Holder = {
  name: `${hostname()} ${process.pid} ${Math.round(performance.timeOrigin)}`,
  isGone(name) {
    const [host, pid] = name.split(" ");
    if (host !== hostname() || name === this.name) return false;
    return Number(pid) === process.pid || !isAlive(Number(pid));
  },
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
