import { type Expression, type OperationNode, ValueNode } from "kysely";

/** A placeholder for a value given at each run. To kysely it is an expression, which compiles to `$n`. */
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

/** `$`: each property is a parameter of that name. Only its type says that it holds the values. */
export function parameters<P>(): P {
  return new Proxy({}, { get: (_, name) => new Parameter(String(name)) }) as P;
}
