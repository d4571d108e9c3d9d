import { kill } from "../../src/postgres/postmaster.ts";

export type Pids = () => number[];

export const hang = (pids: Pids) => {
  for (const pid of pids()) kill(pid, "SIGSTOP");
};
export const resume = (pids: Pids) => {
  for (const pid of pids()) kill(pid, "SIGCONT");
};

const cycleMs = 250;
const stoppedMs = 150;

/** Makes processes slow: they stand still most of the time. Returns what ends that. */
export function slow(pids: Pids): () => void {
  let wake: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    hang(pids);
    wake = setTimeout(() => resume(pids), stoppedMs);
  }, cycleMs);
  return () => {
    clearInterval(timer);
    clearTimeout(wake);
    resume(pids);
  };
}
