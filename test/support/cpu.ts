/** The CPU time that this thread has used, in ms. Unlike a clock, it does not go on while others have the machine. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
