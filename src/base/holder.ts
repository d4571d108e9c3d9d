import { hostname } from "node:os";

/** The process that holds a lease. */
export interface Holder {
  readonly name: string;
  /** Whether a holder has certainly ended, so that its leases need not run out first. */
  isGone(name: string): boolean;
}

/** Named by host, process id and start time, because process ids repeat after a restart, and in containers always. */
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
