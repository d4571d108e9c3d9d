import type { Log } from "../base/log.ts";
import { type Check, Readiness, type Report } from "../ops/readiness.ts";

/** What /readyz answers: not ready while the server starts and stops, in between what the checks find. */
export class ServerReadiness {
  state: "starting" | "serving" | "stopping" = "starting";
  readonly #checks: Readiness;

  constructor(checks: Record<string, Check>, log: Log) {
    this.#checks = new Readiness(checks, log, { renewed: ["database"], optional: ["redis"] });
  }

  async report(): Promise<Report> {
    if (this.state === "serving") return this.#checks.report();
    return { isReady: false, text: `${JSON.stringify({ ready: false, server: this.state })}\n` };
  }
}
