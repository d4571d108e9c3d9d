import type { Resolver } from "node:dns/promises";

/** The DNS queries that mail needs; `new Resolver()` of node:dns/promises provides them. */
export type DnsResolver = Pick<Resolver, "resolve" | "resolveMx" | "resolve4" | "resolve6">;

/** The one question that verdicts on incoming mail ask. */
export type Resolve = Pick<DnsResolver, "resolve">;

const notThere = new Set(["ENOTFOUND", "ENODATA"]);

/** True when DNS said that the record does not exist, rather than failing to answer. */
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
