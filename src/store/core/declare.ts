import { hash } from "node:crypto";
import {
  type Compilable,
  type DeleteResult,
  DummyDriver,
  type InsertResult,
  Kysely,
  type OperationNodeSource,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  RawNode,
  type RootOperationNode,
  type Selectable,
  type Simplify,
  type UpdateResult,
} from "kysely";
import { compile } from "./compile.ts";
import type { DB } from "./db.ts";
import { breaches } from "./law.ts";
import { parameters } from "./parameters.ts";
import type { Access, Statement } from "./sql.ts";
import { bare, crossing } from "./unbound-tables.ts";

/** Some columns of a table's row. */
export type Row<Table extends keyof DB, Column extends keyof Selectable<DB[Table]>> = Pick<
  Selectable<DB[Table]>,
  Column
>;

type Query<Result> = OperationNodeSource & (Compilable<Result> | RawBuilder<Result>);
type Build<Result, P> = (db: Kysely<DB>, $: P) => Query<Result>;
type RowOf<Result> = Result extends InsertResult | UpdateResult | DeleteResult ? never : Simplify<Result>;
type Mark = { readonly across: string } | { readonly unnamed: string };

/** Marks a statement that may read or write rows of several accounts, and says why. */
export const across = (why: string): Mark => ({ across: why });

/** Marks a statement that Postgres plans anew for each call's values, and says why. */
export const unnamed = (why: string): Mark => ({ unnamed: why });

/** The statements of all loaded modules, by name. */
export const declared = new Map<string, Statement<unknown, never>>();

/** Why statements cross accounts, by their names. */
export const crossings = new Map<string, string>();

/** Declares a statement that changes and locks nothing. It runs again when its connection is lost. */
export function read<Result, P = unknown>(name: string, build: Build<Result, P>, ...marks: Mark[]) {
  return declare("read", name, build, marks);
}

/** Declares a statement that changes or locks something. */
export function write<Result, P = unknown>(name: string, build: Build<Result, P>, ...marks: Mark[]) {
  return declare("write", name, build, marks);
}

/** Only builds texts; it never runs a statement. */
const db = new Kysely<DB>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (own) => new PostgresIntrospector(own),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

function declare<Result, P>(
  access: Access,
  name: string,
  build: Build<Result, P>,
  marks: readonly Mark[],
): Statement<RowOf<Result>, P> {
  try {
    if (declared.has(name)) throw new Error("another statement has that name");
    const why = marks.find((mark) => "across" in mark)?.across;
    const crosses = why !== undefined;
    const compiled = compile(build(db, parameters<P>()).toOperationNode() as RootOperationNode);
    const text = crosses ? crossing + compiled.text : compiled.text;
    const faults = crosses ? [] : breaches(compiled.tree, text);
    if (access === "read" && !onlyReads(compiled.tree, text))
      faults.push("it is declared as a read but may write or lock");
    if (faults.length > 0) throw new Error(faults.join("; "));
    const isNamed = !marks.some((mark) => "unnamed" in mark);
    const { parameters: given } = compiled;
    const preparedAs = isNamed ? preparedName(name, text) : "";
    const statement = { name: preparedAs, label: name, text, access, parameters: given };
    declared.set(name, statement);
    if (crosses) crossings.set(name, why);
    return statement;
  } catch (error) {
    throw new Error(`statement ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** The hash keeps versions of the program from giving one name to different texts. Postgres cuts names at 63 octets. */
export function preparedName(name: string, text: string): string {
  const full = `${name}/${hash("sha256", text).slice(0, 6)}`;
  if (!/^[\w.-]{1,56}\/\w{6}$/.test(full)) throw new Error("a name has up to 56 letters, digits, dots and hyphens");
  return full;
}

function onlyReads(tree: RootOperationNode, text: string): boolean {
  const words = bare(text);
  const writes = /\b(INSERT INTO|DELETE FROM|UPDATE \w+ (\w+ |AS \w+ )?SET|nextval ?\(|setval ?\(|pg_notify ?\()/i;
  const locks = /\bFOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b/i;
  const isSelect = RawNode.is(tree) ? /^(SELECT|WITH)\b/i.test(words) : tree.kind === "SelectQueryNode";
  return isSelect && !writes.test(words) && !locks.test(words);
}
