import type { Installation } from "./installation.ts";

/** Notices processes that end by themselves, and starts them again as their supervisor would. */
export class Deaths {
  readonly problems: string[] = [];
  /** The process that a fault has killed. */
  expected: string | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor({ fleet }: Installation) {
    this.#timer = setInterval(() => {
      for (const [name, server] of fleet.members) {
        if (server.running || name === this.expected) continue;
        this.problems.push(`${name} ended by itself: ${server.output.trim().split("\n").at(-1)}`);
        server.spawn();
      }
    }, 500);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
