import {
  type AliasedExpression,
  type Insertable,
  type InsertQueryBuilder,
  type InsertResult,
  type Kysely,
  type Selectable,
  sql,
} from "kysely";
import { columnTypes, type DB } from "./db.ts";

type Value<Table extends keyof DB, Column> = Column extends keyof Insertable<DB[Table]>
  ? Exclude<Insertable<DB[Table]>[Column], undefined>
  : never;

/** Rows by column: the values at one index of all the lists make up a row. */
export type Lists<Table extends keyof DB, Column extends keyof DB[Table]> = {
  readonly [C in Column]: readonly Value<Table, C>[];
};

type OfAccount = { [Table in keyof DB]: DB[Table] extends { userId: number } ? Table : never }[keyof DB];

/** Turns rows into one list per column. */
export function lists<Given extends object, Column extends keyof Given>(
  rows: readonly Given[],
  columns: readonly Column[],
): { [C in Column]: Given[C][] } {
  return Object.fromEntries(columns.map((column) => [column, rows.map((row) => row[column])])) as never;
}

/** Turns lists into a table `x` whose columns have the types of those in `table`. */
export function unnest<Table extends keyof DB, Column extends keyof DB[Table] & string>(
  table: Table,
  columns: readonly Column[],
  $: Lists<Table, Column>,
): AliasedExpression<Pick<Selectable<DB[Table]>, Column & keyof Selectable<DB[Table]>>, "x"> {
  const values = columns.map((column) => sql`${$[column]}::${sql.raw(columnTypes[table][column])}[]`);
  const names = columns.map((column) => sql.id(column));
  return sql<never>`unnest(${sql.join(values)})`.as<"x">(sql`x (${sql.join(names)})`);
}

/**
 * Inserts rows into an account's table: `INSERT … SELECT a.user_id, … FROM account a, unnest(…) x WHERE a.user_id = $n`.
 * Citus sends this to one shard, and it does nothing when the account is gone.
 */
export function insertLists<Table extends OfAccount, Column extends Exclude<keyof DB[Table], "userId"> & string>(
  db: Kysely<DB>,
  table: Table,
  columns: readonly Column[],
  $: { accountId: number } & Lists<Table, Column>,
): InsertQueryBuilder<DB, Table, InsertResult> {
  const rows = unnest(table, columns, $) as AliasedExpression<Record<string, unknown>, "x">;
  const selected = db
    .selectFrom(["account as a", rows])
    .select(["a.userId", ...columns.map((column) => `x.${column}` as const)])
    .where("a.userId", "=", $.accountId);
  const insert = db.insertInto(table).columns(["userId", ...columns] as never);
  return insert.expression(selected) as never;
}
