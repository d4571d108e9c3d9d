import { sql } from "kysely";
import { write } from "../core/declare.ts";

/** What may be lost in a crash: its commit waits for no disk. */
export const withoutWaiting = write("queues.withoutWaiting", () => sql`SET LOCAL synchronous_commit = off`);
