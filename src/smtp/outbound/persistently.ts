import type { Log } from "../../base/log.ts";
import { CommitError, isRetryable } from "../../store/core/database.ts";

const patience = 10 * 60_000;

/** What a server answered must not be forgotten because the database is away: the mail would go out twice. */
export async function persistently<T>(work: () => Promise<T>, log: Log): Promise<T> {
  const deadline = Date.now() + patience;
  for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline || !(error instanceof CommitError || isRetryable(error))) throw error;
      log.warn({ reason: (error as Error).message }, "answer not recorded yet");
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
