import type { Database } from "../core/database.ts";
import { unprepared } from "../core/sql.ts";

const now = unprepared<{ at: Date }>("SELECT clock_timestamp() AS at");
const onPlain = unprepared("SELECT pg_create_restore_point($1)");
/** On all nodes at one moment, between transactions. */
const onCitus = unprepared("SELECT citus_create_restore_point($1)");

const notAllowed = "42501";
/** The log is too terse for a backup, or the server is a standby. */
const notPossible = "55000";

/**
 * Names this moment in the database's log, so that it can be restored to it by its own tools: on Citus, all nodes to the same.
 * `name` is null if the role may not do so (a superuser may, and who is granted the function).
 */
export async function makeRestorePoint(database: Database, name: string): Promise<{ name: string | null; at: Date }> {
  const [row] = await database.run(now, []);
  try {
    await database.run((await database.nodes.isCitus()) ? onCitus : onPlain, [name]);
    return { name, at: row!.at };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== notAllowed && code !== notPossible) throw error;
    return { name: null, at: row!.at };
  }
}
