import type { Method } from "./method.ts";
import { type Check, checker } from "./schema.ts";

export interface Registered {
  method: Method;
  check: Check;
}

export interface Registry {
  get(name: string): Registered | undefined;
  readonly methods: readonly Method[];
  /** The capabilities that some method belongs to. */
  readonly capabilities: ReadonlySet<string>;
}

/** All methods by name, with their argument schemas compiled. Throws if two methods have the same name. */
export function createRegistry(methods: readonly Method[]): Registry {
  const byName = new Map<string, Registered>();
  for (const method of methods) {
    if (byName.has(method.name)) throw new Error(`two methods are called ${method.name}`);
    byName.set(method.name, { method, check: checker(method.args) });
  }
  const capabilities = new Set(methods.map((method) => method.capability));
  return { get: (name) => byName.get(name), methods, capabilities };
}
