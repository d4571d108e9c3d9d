import { type OperationNode, type RawBuilder, type RawNode, sql, type ValueNode } from "kysely";
import { preparedName } from "./declare.ts";
import { Parameter } from "./parameters.ts";
import type { Statement } from "./sql.ts";
import type { Reader } from "./store.ts";

/** Part of a statement whose text depends on the request. */
export type Fragment = RawBuilder<unknown>;

/** The reader's account: `user_id = ${account}`. It is $1 in every statement. */
export const account = new Parameter("account");

const constants = new Map<string, Fragment>();

/** A fragment of text known to the program, such as a column's name; cached. */
export function constant(text: string): Fragment {
  let known = constants.get(text);
  if (!known) {
    known = sql.raw(text);
    constants.set(text, known);
  }
  return known;
}

export const none = sql``;

/** Returns a single part unchanged, since a new fragment costs about 0.4 µs. */
export function join(parts: readonly Fragment[], separator?: Fragment): Fragment {
  return parts.length === 1 ? parts[0]! : sql.join(parts, separator);
}

/**
 * Runs a read composed for this call, from `sql` templates, `sql.join` and `sql.raw` only. Postgres plans it for the
 * given values. A name, for the few very frequent texts, makes it a prepared statement.
 */
export function ask<Row>(reader: Reader, query: RawBuilder<Row>, name?: string): Promise<Row[]> {
  const { text, values } = compose(query, reader.accountId);
  const unnamed = { name: "", label: "composed", text, access: "read" } as const;
  return reader.run(name === undefined ? unnamed : named<Row>(name, text), values);
}

const prepared = new Map<string, Statement<unknown>>();

function named<Row>(name: string, text: string): Statement<Row> {
  let known = prepared.get(text);
  if (!known) {
    known = { name: preparedName(name, text), label: name, text, access: "read" };
    prepared.set(text, known);
  }
  return known as Statement<Row>;
}

/** The text and its values. A value has one number, however often its fragment is used. */
export function compose(query: Fragment, accountId: number): { text: string; values: unknown[] } {
  const values: unknown[] = [accountId];
  return { text: textOf(query.toOperationNode(), values, [undefined]), values };
}

/** `numbered`: the node of each value. */
function textOf(node: OperationNode, values: unknown[], numbered: (OperationNode | undefined)[]): string {
  if (node.kind === "ValueNode") return `$${numberOf(node as ValueNode, values, numbered)}`;
  if (node.kind !== "RawNode") throw new Error(`a composed statement has no ${node.kind}`);
  const { sqlFragments, parameters } = node as RawNode;
  let text = sqlFragments[0]!;
  for (let index = 0; index < parameters.length; index++) {
    text += textOf(parameters[index]!, values, numbered) + sqlFragments[index + 1]!;
  }
  return text;
}

function numberOf(node: ValueNode, values: unknown[], numbered: (OperationNode | undefined)[]): number {
  if (node.value === account) return 1;
  const known = numbered.indexOf(node);
  if (known >= 0) return known + 1;
  numbered.push(node);
  return values.push(node.value);
}
