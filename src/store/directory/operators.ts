import type { Database } from "../core/database.ts";
import { type Row, read, write } from "../core/declare.ts";
import type { Executor } from "../core/sql.ts";

const columns = ["login", "userId", "role", "domains", "createdAt"] as const;

/** A login that looks after the installation, or with `domains` after these alone. */
export type OperatorRow = Row<"operator", (typeof columns)[number]>;

const byLogin = read("operators.byLogin", (db, $: { login: string }) =>
  db.selectFrom("operator").select(columns).where("login", "=", $.login),
);
const all = read("operators.all", (db, $: { limit: number }) =>
  db.selectFrom("operator").select(columns).orderBy("login").limit($.limit),
);
const put = write("operators.put", (db, $: OperatorRow) =>
  db
    .insertInto("operator")
    .values({ login: $.login, userId: $.userId, role: $.role, domains: $.domains, createdAt: $.createdAt })
    .onConflict((conflict) =>
      conflict.column("login").doUpdateSet((eb) => ({
        userId: eb.ref("excluded.userId"),
        role: eb.ref("excluded.role"),
        domains: eb.ref("excluded.domains"),
      })),
    ),
);
const remove = write("operators.remove", (db, $: { login: string }) =>
  db.deleteFrom("operator").where("login", "=", $.login),
);

export async function findOperator(database: Database, login: string): Promise<OperatorRow | undefined> {
  return (await database.run(byLogin, { login }))[0];
}

export function allOperators(database: Database, limit: number): Promise<OperatorRow[]> {
  return database.run(all, { limit });
}

/** Adds an operator, or changes what one may do. */
export async function putOperator(executor: Executor, row: OperatorRow): Promise<void> {
  await executor.run(put, row);
}

/** False when the login is no operator. */
export async function removeOperator(executor: Executor, login: string): Promise<boolean> {
  return (await executor.count(remove, { login })) > 0;
}
