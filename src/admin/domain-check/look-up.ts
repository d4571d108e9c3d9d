import type { Resolver } from "node:dns/promises";
import { inTime } from "../../base/in-time.ts";

/** The one question that checks ask; `new Resolver()` of node:dns/promises answers it. */
export type Resolve = Pick<Resolver, "resolve">;

export interface Answers {
  A: string;
  AAAA: string;
  CNAME: string;
  PTR: string;
  TXT: string[];
  MX: { exchange: string; priority: number };
  SRV: { name: string; port: number; priority: number; weight: number };
}

const maxMs = 10_000;
const notThere = new Set(["ENOTFOUND", "ENODATA"]);

/** The records of a name; none if DNS says that there are none, undefined if it gives no answer. */
export async function lookUp<T extends keyof Answers>(
  resolver: Resolve,
  name: string,
  type: T,
): Promise<Answers[T][] | undefined> {
  try {
    return (await inTime(resolver.resolve(name.replace(/\.$/, ""), type) as Promise<unknown>, maxMs)) as Answers[T][];
  } catch (error) {
    return notThere.has((error as { code?: string }).code ?? "") ? [] : undefined;
  }
}

/** All addresses of a name; undefined if DNS gives no answer. */
export async function addressesOf(resolver: Resolve, name: string): Promise<string[] | undefined> {
  const [four, six] = await Promise.all([lookUp(resolver, name, "A"), lookUp(resolver, name, "AAAA")]);
  return four && six ? [...four, ...six] : ((four?.length ? four : undefined) ?? (six?.length ? six : undefined));
}

/** Host names as DNS writes them, in one form. */
export const plain = (name: string): string => name.replace(/\.$/, "").toLowerCase();
