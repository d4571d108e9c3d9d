import type { QueryResultRow } from "pg";

/** A statement with constant text: prepared once per connection, under a name of its own. */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** Never set; carries the row's type. */
  readonly row?: Row;
}

let count = 0;

/** A named statement. Every table in it binds its own `user_id = $n` (see docs/architecture.md). */
export function statement<Row extends QueryResultRow = QueryResultRow>(text: string): Statement<Row> {
  return { name: `s${++count}`, text };
}

/** One that Postgres should plan anew for each call's values, or whose text varies. */
export function unprepared<Row extends QueryResultRow = QueryResultRow>(text: string): Statement<Row> {
  return { name: "", text };
}

/** What can run statements: a pooled connection, or a transaction on one. */
export interface Executor {
  /** The rows; empty for statements that return none. */
  run<Row extends QueryResultRow>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>;
  /** How many rows the statement touched. */
  count(statement: Statement<QueryResultRow>, values?: readonly unknown[]): Promise<number>;
}
