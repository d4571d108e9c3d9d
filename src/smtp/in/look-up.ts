import { type DnsResolver, withTimeout } from "../resolver.ts";

export type LookUp = (name: string, type: string) => Promise<unknown>;

const lookUpTime = 4_000;

/** DNS for one message: each question is asked once, and after `time` milliseconds none is answered any more. */
export function lookUps(resolver: DnsResolver, time: number): LookUp {
  const deadline = Date.now() + time;
  const asked = new Map<string, Promise<unknown>>();
  const ask = async (name: string, type: string): Promise<unknown> => {
    const left = Math.max(1, Math.min(lookUpTime, deadline - Date.now()));
    try {
      // The resolver would ask for what stands before a NUL.
      if (/[\x00-\x20\\]/.test(name)) throw absent(name);
      return await withTimeout(resolver.resolve(name, type) as Promise<string[] | string[][]>, left, name);
    } catch (error) {
      // A name that cannot be asked for: nobody has records there.
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
