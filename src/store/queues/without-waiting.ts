import { sql } from "kysely";
import { write } from "../core/declare.ts";

/** For changes that a crash may lose: their COMMIT does not wait for the disk. */
export const withoutWaiting = write("queues.withoutWaiting", () => sql`SET LOCAL synchronous_commit = off`);
