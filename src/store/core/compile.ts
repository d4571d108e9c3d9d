import {
  AliasNode,
  BinaryOperationNode,
  FunctionNode,
  IdentifierNode,
  type OperationNode,
  OperationNodeTransformer,
  OperatorNode,
  type OrderByItemNode,
  PostgresQueryCompiler,
  type RootOperationNode,
  type SelectionNode,
  ValueNode,
} from "kysely";
import { Parameter } from "./parameters.ts";

export interface Compiled {
  text: string;
  /** The names of $1, $2, …. */
  parameters: readonly string[];
  /** The tree that was compiled, with Postgres's names. */
  tree: RootOperationNode;
}

/** Compiles to constant text: one number for each parameter, however often it is used, and constants inline. */
export function compile(query: RootOperationNode): Compiled {
  const tree = new Names(query).transformNode(query);
  const compiler = new Text();
  const { sql: text } = compiler.compileQuery(tree, { queryId: "" });
  return { text, parameters: compiler.names, tree };
}

class Text extends PostgresQueryCompiler {
  readonly names: string[] = [];

  protected override appendValue(value: unknown): void {
    if (value instanceof Parameter) this.append(`$${this.#numberOf(value)}`);
    else this.appendImmediateValue(value);
  }

  #numberOf({ name }: Parameter): number {
    if (!this.names.includes(name)) this.names.push(name);
    return this.names.indexOf(name) + 1;
  }
}

/**
 * Turns camelCase names into Postgres's snake_case, and names returned columns `AS "camelCase"`, so rows need no
 * conversion. Also turns `x in $.list` into `x = any($n)`, whose text does not depend on the length of the list.
 */
class Names extends OperationNodeTransformer {
  /** Aliases that the statement gives to its own columns: ORDER BY uses them unchanged. */
  readonly #given: ReadonlySet<string>;

  constructor(query: RootOperationNode) {
    super();
    this.#given = new Set(returned(query).map(({ selection }) => givenName(selection) ?? ""));
  }

  protected override transformIdentifier(node: IdentifierNode): IdentifierNode {
    return { ...node, name: snake(node.name) };
  }

  protected override transformSelection(node: SelectionNode): SelectionNode {
    const { selection } = super.transformSelection(node);
    if (!this.#isOfStatement()) return { ...node, selection };
    const name = givenName(node.selection) ?? columnName(node.selection);
    if (name === undefined) throw new Error("name the columns: the result of * changes with the table");
    const column = AliasNode.is(selection) ? selection.node : selection;
    const isSame = column === selection && snake(name) === name;
    return { ...node, selection: isSame ? selection : AliasNode.create(column, IdentifierNode.create(name)) };
  }

  protected override transformOrderByItem(node: OrderByItemNode): OrderByItemNode {
    const name = columnName(node.orderBy);
    const item = super.transformOrderByItem(node);
    if (this.nodeStack.length > 3 || name === undefined || !this.#given.has(name)) return item;
    return { ...item, orderBy: IdentifierNode.create(name) };
  }

  protected override transformBinaryOperation(node: BinaryOperationNode): BinaryOperationNode {
    const { leftOperand, operator, rightOperand } = super.transformBinaryOperation(node);
    const word = OperatorNode.is(operator) ? operator.operator : undefined;
    const isList = ValueNode.is(rightOperand) && rightOperand.value instanceof Parameter;
    if (!isList || (word !== "in" && word !== "not in")) return { ...node, leftOperand, operator, rightOperand };
    const isIn = word === "in";
    const list = FunctionNode.create(isIn ? "any" : "all", [rightOperand]);
    return BinaryOperationNode.create(leftOperand, OperatorNode.create(isIn ? "=" : "<>"), list);
  }

  /** Whether the statement itself returns the current selection, rather than a subquery. */
  #isOfStatement(): boolean {
    const { length } = this.nodeStack;
    return length === 2 || (length === 3 && this.nodeStack[1]!.kind === "ReturningNode");
  }
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Returning = {
  kind: string;
  selections?: readonly SelectionNode[];
  returning?: { selections: readonly SelectionNode[] };
};
function returned(query: RootOperationNode): readonly SelectionNode[] {
  const { selections, returning } = query as Returning;
  return selections ?? returning?.selections ?? [];
}

function givenName(node: OperationNode): string | undefined {
  return AliasNode.is(node) && IdentifierNode.is(node.alias) ? node.alias.name : undefined;
}

/** The column's name in `column` or `table.column`. */
function columnName(node: OperationNode): string | undefined {
  const { column } = node as { column?: OperationNode };
  if (column === undefined) return undefined;
  return IdentifierNode.is(column) ? column.name : columnName(column);
}
