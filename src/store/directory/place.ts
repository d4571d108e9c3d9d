import type { Clock } from "../../base/clock.ts";
import type { Executor } from "../core/sql.ts";

/** Where something is written: a Store, or a transaction with a clock. */
export interface Place {
  database: Executor;
  clock: Clock;
}
