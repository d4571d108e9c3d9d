/** A statement that only reads is run again when its connection is lost. */
export type Access = "read" | "write";

/** A statement with constant text: prepared once per connection, under a name of its own. */
export interface Statement<Row, P = readonly unknown[]> {
  /** "" for one that Postgres should plan anew for each call's values, or whose text varies. */
  readonly name: string;
  readonly text: string;
  readonly access: Access;
  /** Which of the values are $1, $2, …; undefined where they are given in that order. */
  readonly parameters?: readonly string[];
  /** Never set; carry the types of a row and of the values. */
  readonly row?: Row;
  readonly given?: (values: P) => void;
}

/** What is given to a statement besides itself: values by name, or in order; nothing where it wants none. */
export type Given<P> = unknown extends P ? [] : readonly unknown[] extends P ? [values?: P] : [values: P];

let count = 0;
const accessOf = (text: string): Access => (/^\s*SELECT\b/i.test(text) ? "read" : "write");

/** A named statement. Every table in it binds its own `user_id = $n` (see docs/architecture.md). */
export function statement<Row = Record<string, unknown>>(text: string): Statement<Row> {
  return { name: `s${++count}`, text, access: accessOf(text) };
}

/** One that Postgres should plan anew for each call's values, or whose text varies. */
export function unprepared<Row = Record<string, unknown>>(text: string): Statement<Row> {
  return { name: "", text, access: accessOf(text) };
}

/** The values in the order of $1, $2, …. */
export function inOrder<P>(parameters: readonly string[] | undefined, values: P | undefined): unknown[] {
  if (parameters === undefined) return (values ?? []) as unknown[];
  return parameters.map((name) => (values as Record<string, unknown>)[name]);
}

/** What can run statements: a pooled connection, or a transaction on one. */
export interface Executor {
  /** The rows; empty for statements that return none. */
  run<Row, P>(statement: Statement<Row, P>, ...values: Given<P>): Promise<Row[]>;
  /** How many rows the statement touched. */
  count<Row, P>(statement: Statement<Row, P>, ...values: Given<P>): Promise<number>;
}
