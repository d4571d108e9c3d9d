import { type Resolve, withTimeout } from "../resolver.ts";

export type LookUp = (name: string, type: string) => Promise<unknown>;

const maxLookUpMs = 4_000;

/**
 * DNS for one message. Asks each question once, and answers none later than `maxMs` milliseconds after the first.
 * Counting starts at the first question, because the message may have waited for a thread before.
 */
export function lookUps(resolver: Resolve, maxMs: number): LookUp {
  let deadline: number | undefined;
  const asked = new Map<string, Promise<unknown>>();
  const ask = async (name: string, type: string): Promise<unknown> => {
    deadline ??= Date.now() + maxMs;
    const left = Math.max(1, Math.min(maxLookUpMs, deadline - Date.now()));
    try {
      // The resolver would look up only what precedes a NUL.
      if (/[\x00-\x20\\]/.test(name)) throw absent(name);
      return await withTimeout(resolver.resolve(name, type) as Promise<string[] | string[][]>, left, name);
    } catch (error) {
      // A name that cannot be queried has no records.
      throw (error as { code?: string }).code === "EBADNAME" ? absent(name) : error;
    }
  };
  return (name, type) => {
    const key = `${type} ${name.toLowerCase()}`;
    const found = asked.get(key) ?? ask(name, type);
    asked.set(key, found);
    return found;
  };
}

const absent = (name: string) => Object.assign(new Error(`${name} does not exist`), { code: "ENOTFOUND" });
