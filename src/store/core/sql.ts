/** A `read` statement runs again when its connection is lost. */
export type Access = "read" | "write";

/** A statement with constant text, prepared once per connection under its own name. */
export interface Statement<Row, P = readonly unknown[]> {
  /** "" when Postgres should plan each call anew, or when the text varies. */
  readonly name: string;
  readonly text: string;
  readonly access: Access;
  /** The names of the values for $1, $2, …; undefined when the values are given in that order. */
  readonly parameters?: readonly string[];
  /** Never set; `row` and `given` carry the types of a row and of the values. */
  readonly row?: Row;
  readonly given?: (values: P) => void;
}

/** The values of a statement: by name, in order, or none when it has no parameters. */
export type Given<P> = unknown extends P ? [] : readonly unknown[] extends P ? [values?: P] : [values: P];

/** A statement whose text varies, so it is not declared; its values are given in the order of $1, $2, …. */
export function unprepared<Row = Record<string, unknown>>(text: string): Statement<Row> {
  return { name: "", text, access: "write" };
}

/** The values in the order of $1, $2, …. */
export function inOrder<P>(parameters: readonly string[] | undefined, values: P | undefined): unknown[] {
  if (parameters === undefined) return (values ?? []) as unknown[];
  return parameters.map((name) => (values as Record<string, unknown>)[name]);
}

/** Runs statements: the pool, a connection, or a transaction. */
export interface Executor {
  /** The rows; empty for statements that return none. */
  run<Row, P>(statement: Statement<Row, P>, ...values: Given<P>): Promise<Row[]>;
  /** How many rows the statement affected. */
  count<Row, P>(statement: Statement<Row, P>, ...values: Given<P>): Promise<number>;
}
