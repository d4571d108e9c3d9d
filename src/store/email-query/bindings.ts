/** The values of a statement that is composed; $1 is the account, in every one of them. */
export class Bindings {
  readonly values: unknown[];

  constructor(accountId: number) {
    this.values = [accountId];
  }

  /** The placeholder of a value. */
  add(value: unknown, type?: "bigint" | "bigint[]" | "text" | "timestamptz" | "tsquery" | "int"): string {
    this.values.push(value);
    return `$${this.values.length}${type ? `::${type}` : ""}`;
  }
}
