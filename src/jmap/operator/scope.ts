import type { Operator } from "../../admin/operators.ts";
import { splitAddress } from "../../base/address.ts";
import { MethodError, SetError } from "../errors.ts";

/** What an operator may see and change. What lies outside is as if it were not there. */
export class Scope {
  readonly operator: Operator;
  readonly #domains: ReadonlySet<string> | undefined;

  constructor(operator: Operator) {
    this.operator = operator;
    this.#domains = operator.domains ? new Set(operator.domains) : undefined;
  }

  /** The domains of a domain-admin; null for all. */
  get domains(): readonly string[] | null {
    return this.operator.domains;
  }

  get isForAll(): boolean {
    return this.#domains === undefined;
  }

  coversDomain(name: string): boolean {
    return this.#domains === undefined || this.#domains.has(name);
  }

  /** An address, or "@example.org". */
  covers(address: string): boolean {
    return this.#domains === undefined || this.#domains.has(splitAddress(address)?.domain ?? "");
  }

  /** Refuses a call that is about the whole installation. */
  mustBeForAll(): void {
    if (!this.isForAll) throw new MethodError("forbidden", "this is for operators of all domains");
  }

  /** Refuses a call that changes something. */
  mayChange(): void {
    if (this.operator.role === "read-only") throw new MethodError("forbidden", "a read-only operator changes nothing");
  }

  /** Refuses a change of one record that is about the whole installation. */
  mustChangeAll(): void {
    if (!this.isForAll) throw new SetError("forbidden", "this is for operators of all domains");
  }

  mustCover(address: string): void {
    if (!this.covers(address)) throw new SetError("forbidden", "this is none of your domains");
  }
}
