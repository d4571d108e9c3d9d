import type { TestServer } from "./server.ts";

export interface LogLine {
  msg: string;
  process?: number;
  pid?: number;
  [field: string]: unknown;
}

/** The lines of a server's log about this event, the oldest first. */
export function logged(server: TestServer, event: string): LogLine[] {
  return server.output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as LogLine)
    .filter(({ msg }) => msg === event);
}

/** The process ids of a server's children by number; the newest of each. */
export function childrenOf(server: TestServer): Map<number, number> {
  return new Map(logged(server, "a process serves").map((line) => [line.process!, line.pid!]));
}
