import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  type DeleteQueryNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  type RootOperationNode,
  SelectQueryNode as Select,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  ValueNode,
  ValuesNode,
} from "kysely";
import { accountTables } from "./db.ts";
import { Parameter } from "./parameters.ts";
import { unboundTables } from "./unbound-tables.ts";

/** A query or subquery: its tables, and the conditions that every row meets. */
interface Level {
  tables: readonly OperationNode[];
  joins: readonly JoinNode[];
  where: OperationNode | undefined;
}

/** How a statement breaks the rule that each account table is bound by its own `user_id = $n`; empty if it does not. */
export function breaches(tree: RootOperationNode, text: string): string[] {
  const nodes = [...all(tree)];
  const shadows = nodes.flatMap((node) => (node.kind === "CommonTableExpressionNode" ? shadowing(node) : []));
  const unbound = nodes.flatMap((node) => breachesOf(node));
  // Raw SQL hides its tables from the tree.
  const hidden = nodes.some((node) => RawNode.is(node) && namesTables(node)) ? unboundTables(text) : [];
  const accounts = new Set(nodes.flatMap((node) => levelOf(node)).flatMap((level) => [...bound(level).values()]));
  const several = accounts.size > 1 ? [`it binds user_id to several values: ${[...accounts].join(", ")}`] : [];
  return [...shadows, ...unbound, ...hidden.map((table) => lacks(table)), ...several];
}

const lacks = (table: string) => `${table} lacks a user_id = $n of its own`;
const namesTables = ({ sqlFragments }: RawNode) => /\b(from|join|using|into|update)\b/i.test(sqlFragments.join(" "));

function breachesOf(node: OperationNode): string[] {
  if (node.kind === "MergeQueryNode") return ["Citus does not support MERGE of values"];
  if (node.kind === "InsertQueryNode") return ofInsert(node as InsertQueryNode);
  return levelOf(node).flatMap((level) => {
    const have = bound(level);
    return [...accountTablesOf(level)]
      .filter(([name]) => !have.has(name))
      .map(([name, table]) => lacks(say(name, table)));
  });
}

const say = (name: string, table: string) => (name === table ? table : `${table} ${name}`);

/** A WITH that shadows an account table, or inserts (Citus cannot run that on one shard). */
function shadowing(node: OperationNode): string[] {
  const { name, expression } = node as unknown as { name: { table: TableNode }; expression: OperationNode };
  const { name: given } = name.table.table.identifier;
  return [
    ...(accountTables.has(given) ? [`WITH takes the name of a table: ${given}`] : []),
    ...(expression.kind === "InsertQueryNode" ? ["an INSERT inside WITH goes through the coordinator of Citus"] : []),
  ];
}

function levelOf(node: OperationNode): Level[] {
  if (node.kind === "SelectQueryNode") {
    const { from, joins = [], where } = node as SelectQueryNode;
    return [{ tables: from?.froms ?? [], joins, where: where?.where }];
  }
  if (node.kind === "UpdateQueryNode") {
    const { table, from, joins = [], where } = node as UpdateQueryNode;
    return [{ tables: [...(table ? [table] : []), ...(from?.froms ?? [])], joins, where: where?.where }];
  }
  if (node.kind === "DeleteQueryNode") {
    const { from, using, joins = [], where } = node as DeleteQueryNode;
    return [{ tables: [...from.froms, ...(using?.tables ?? [])], joins, where: where?.where }];
  }
  return [];
}

/** The account tables at this level: alias → table. */
function accountTablesOf({ tables, joins }: Level): Map<string, string> {
  const found = [...tables, ...joins.map(({ table }) => table)].flatMap((node) => {
    const table = AliasNode.is(node) ? node.node : node;
    if (!TableNode.is(table)) return [];
    const { name } = table.table.identifier;
    const alias = AliasNode.is(node) && IdentifierNode.is(node.alias) ? node.alias.name : name;
    return accountTables.has(name) ? [[alias, name] as const] : [];
  });
  return new Map(found);
}

/** The tables bound at this level: alias → parameter. */
function bound(level: Level): Map<string, string> {
  const { tables, joins, where } = level;
  const only = tables.length + joins.length === 1 ? [...accountTablesOf(level).keys()][0] : undefined;
  const bindings = conjuncts(where).flatMap((node) => binding(node, only));
  for (const join of joins) {
    const conditions = conjuncts(join.on?.on).flatMap((node) => binding(node, undefined));
    const [joined] = accountTablesOf({ tables: [join.table], joins: [], where: undefined }).keys();
    // The ON of an outer join does not restrict the rows of the other side.
    if (/^(Lateral)?InnerJoin$/.test(join.joinType)) bindings.push(...conditions);
    else if (/LeftJoin$/.test(join.joinType)) bindings.push(...conditions.filter(([name]) => name === joined));
  }
  return new Map(bindings);
}

function conjuncts(node: OperationNode | undefined): OperationNode[] {
  if (node === undefined) return [];
  if (ParensNode.is(node)) return conjuncts(node.node);
  return AndNode.is(node) ? [...conjuncts(node.left), ...conjuncts(node.right)] : [node];
}

/** Matches `name.user_id = $n`, or `user_id = $n` if there is only one table. */
function binding(node: OperationNode, only: string | undefined): [string, string][] {
  if (!BinaryOperationNode.is(node) || !OperatorNode.is(node.operator) || node.operator.operator !== "=") return [];
  const { leftOperand, rightOperand } = node;
  const value = ValueNode.is(rightOperand) ? rightOperand.value : undefined;
  const name = isUserId(leftOperand) ? (leftOperand.table?.table.identifier.name ?? only) : undefined;
  return name !== undefined && value instanceof Parameter ? [[name, value.name]] : [];
}

function isUserId(node: OperationNode | undefined): node is ReferenceNode {
  return (
    node !== undefined &&
    ReferenceNode.is(node) &&
    node.column.kind === "ColumnNode" &&
    node.column.column.name === "user_id"
  );
}

/** The user_id of inserted rows must be a parameter, or the user_id of a table that the query binds. */
function ofInsert({ into, columns, values }: InsertQueryNode): string[] {
  const table = into?.table.identifier.name;
  if (table === undefined || !accountTables.has(table)) return [];
  const at = columns?.findIndex(({ column }) => column.name === "user_id") ?? -1;
  if (at < 0 || values === undefined) return [`${table} is inserted without user_id`];
  if (RawNode.is(values)) return [];
  const isBound = ValuesNode.is(values)
    ? values.values.every((row) => isParameter((row.values as unknown[])[at]))
    : Select.is(values) && selectsUserId(values, at);
  return isBound ? [] : [`${table} is inserted with a user_id that is neither a parameter nor from a bound table`];
}

function isParameter(value: unknown): boolean {
  const node = value as OperationNode | undefined;
  return node !== undefined && ValueNode.is(node) && node.value instanceof Parameter;
}

function selectsUserId(query: SelectQueryNode, at: number): boolean {
  const selection = query.selections?.[at]?.selection;
  const column = selection && AliasNode.is(selection) ? selection.node : selection;
  const [level] = levelOf(query);
  return isUserId(column) && accountTablesOf(level!).has(column.table?.table.identifier.name ?? "");
}

/** The node and all its descendants. */
function* all(node: unknown): Generator<OperationNode> {
  if (typeof node !== "object" || node === null || node instanceof Parameter) return;
  if (typeof (node as { kind?: unknown }).kind === "string") yield node as OperationNode;
  for (const inner of Object.values(node)) yield* all(inner);
}
