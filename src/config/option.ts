import type { Parse } from "./values.ts";

export interface Option<T> {
  /** What the option is for, ending in "(Default: …)". */
  help: string;
  /** As the user would write it. */
  default: string;
  parse: Parse<T>;
  /** The value as the user would write it. */
  show(value: T): string;
  /** Masked when shown. */
  secret: boolean;
  /** Name in the environment. */
  env: string;
  /** Name on the command line, without the dashes. */
  flag: string;
}

export interface Declaration<T> {
  help: string;
  default: string;
  parse: Parse<T>;
  show?(value: T): string;
  secret?: boolean;
  env?: string;
  /** Text for the help when the default is "" or depends on the machine. */
  shown?: string;
}

export function option<T>(declaration: Declaration<T>): Declaration<T> {
  return declaration;
}
