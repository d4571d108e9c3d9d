import { type Expression, type OperationNode, ValueNode } from "kysely";

/** Stands for a value that each run of a statement gives. To kysely it is an expression; it is compiled to `$n`. */
export class Parameter implements Expression<never> {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get expressionType(): undefined {
    return undefined;
  }

  toOperationNode(): OperationNode {
    return ValueNode.create(this);
  }

  [Symbol.toPrimitive](): never {
    throw new Error(`$.${this.name} has no value where its statement is declared`);
  }

  toJSON(): never {
    return this[Symbol.toPrimitive]();
  }
}

/** `$`: any name asked of it is a parameter of that name. For the types alone it holds the values. */
export function parameters<P>(): P {
  return new Proxy({}, { get: (_, name) => new Parameter(String(name)) }) as P;
}
