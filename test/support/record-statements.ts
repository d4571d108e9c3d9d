import { appendFileSync } from "node:fs";
import pg from "pg";

/**
 * Loaded before anything else in test processes and in the servers that they start (`--import`): writes each
 * statement that Postgres is asked to run, with one set of values, to a file of this process in STATEMENT_LOG.
 */
const folder = process.env.STATEMENT_LOG;
const known = new Set<string>();

type Query = string | { text?: string; values?: unknown[] };

if (folder) {
  const file = `${folder}/${process.pid}.jsonl`;
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  pg.Client.prototype.query = function record(this: pg.Client, ...args: unknown[]) {
    const query = args[0] as Query;
    const text = typeof query === "string" ? query : query?.text;
    if (text !== undefined && !known.has(text)) {
      known.add(text);
      const values = typeof query === "string" ? args[1] : query.values;
      appendFileSync(file, `${JSON.stringify({ text, values: Array.isArray(values) ? values : [] })}\n`);
    }
    return original.apply(this, args);
  } as typeof pg.Client.prototype.query;
}
