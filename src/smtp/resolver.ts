import type { Resolver } from "node:dns/promises";

/** What mail needs of DNS; `new Resolver()` of node:dns/promises is one. */
export type DnsResolver = Pick<Resolver, "resolve" | "resolveMx" | "resolve4" | "resolve6">;

const notThere = new Set(["ENOTFOUND", "ENODATA"]);

/** True when DNS said that there is no such record, rather than nothing at all. */
export function isAbsent(error: unknown): boolean {
  return notThere.has((error as { code?: string }).code ?? "");
}

/** Rejects with ETIMEOUT when `work` takes longer. */
export async function withTimeout<T>(work: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error(`${what}: no answer in time`), { code: "ETIMEOUT" })),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
