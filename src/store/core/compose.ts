import { type OperationNode, type RawBuilder, RawNode, sql, ValueNode } from "kysely";
import { preparedName } from "./declare.ts";
import { Parameter } from "./parameters.ts";
import type { Statement } from "./sql.ts";
import type { Reader } from "./store.ts";

/** A part of a statement whose text depends on what is asked. */
export type Fragment = RawBuilder<unknown>;

/** The reader's account: `user_id = ${account}`. It is $1 in every statement. */
export const account = new Parameter("account");

const constants = new Map<string, Fragment>();

/** A text that the program knows, such as a column's name. It is made once. */
export function constant(text: string): Fragment {
  let known = constants.get(text);
  if (!known) {
    known = sql.raw(text);
    constants.set(text, known);
  }
  return known;
}

export const none = sql``;

/** A fragment costs some 0.4 µs, so one alone stays as it is. */
export function join(parts: readonly Fragment[], separator?: Fragment): Fragment {
  return parts.length === 1 ? parts[0]! : sql.join(parts, separator);
}

/**
 * Runs a statement that is composed for this call, of `sql` templates, `sql.join` and `sql.raw` alone. It only reads.
 * Postgres plans it for the values at hand; with a name, its plan is kept: for the few texts that come all the time.
 */
export function ask<Row>(reader: Reader, query: RawBuilder<Row>, name?: string): Promise<Row[]> {
  const { text, values } = compose(query, reader.accountId);
  return reader.run(name === undefined ? { name: "", text, access: "read" } : named<Row>(name, text), values);
}

const prepared = new Map<string, Statement<unknown>>();

function named<Row>(name: string, text: string): Statement<Row> {
  let known = prepared.get(text);
  if (!known) {
    known = { name: preparedName(name, text), text, access: "read" };
    prepared.set(text, known);
  }
  return known as Statement<Row>;
}

/** The text and its values. One that stands in a fragment has one number, however often the fragment is used. */
export function compose(query: Fragment, accountId: number): { text: string; values: unknown[] } {
  const composer = new Composer(accountId);
  composer.append(query.toOperationNode());
  return composer;
}

class Composer {
  text = "";
  readonly values: unknown[];
  readonly #numbered: (OperationNode | undefined)[] = [undefined];

  constructor(accountId: number) {
    this.values = [accountId];
  }

  append(node: OperationNode): void {
    if (RawNode.is(node)) {
      const { sqlFragments, parameters } = node;
      for (let index = 0; index < sqlFragments.length; index++) {
        this.text += sqlFragments[index];
        if (index < parameters.length) this.append(parameters[index]!);
      }
    } else if (ValueNode.is(node)) {
      this.text += `$${this.#numberOf(node)}`;
    } else {
      throw new Error(`a composed statement has no ${node.kind}`);
    }
  }

  #numberOf(node: ValueNode): number {
    if (node.value === account) return 1;
    const known = this.#numbered.indexOf(node);
    if (known >= 0) return known + 1;
    this.#numbered.push(node);
    return this.values.push(node.value);
  }
}
