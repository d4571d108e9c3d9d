import type { Clock } from "../../base/clock.ts";
import type { Executor } from "../core/sql.ts";

/** Where rows are written, with the time: a Store, or a transaction with a clock. */
export interface Place {
  database: Executor;
  clock: Clock;
}
