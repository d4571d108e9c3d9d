/** Waiting in M/M/c: arrivals at random, `servers` cores, service times of `serviceSeconds` on average. `load` is how many cores are busy on average. */
export type Queue = { servers: number; load: number; serviceSeconds: number };

/** Erlang's C: the part of the arrivals that find every core busy. */
export function waitProbability({ servers, load }: Pick<Queue, "servers" | "load">): number {
  if (load >= servers) return 1;
  // Erlang's B by its recursion, which stays exact where factorials overflow.
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

export function meanWait(queue: Queue): number {
  return (waitProbability(queue) * queue.serviceSeconds) / (queue.servers - queue.load);
}

/** The wait that the part `draw` (0 to 1) of all arrivals does not exceed. */
export function waitAt(draw: number, queue: Queue, probability: number = waitProbability(queue)): number {
  if (draw <= 1 - probability) return 0;
  return (Math.log(probability / (1 - draw)) * queue.serviceSeconds) / (queue.servers - queue.load);
}
