import type { Clock } from "../base/clock.ts";
import { lru } from "../base/lru.ts";
import { type DnsResolver, isAbsent, type Resolve } from "./resolver.ts";

interface Limits {
  /** Answers that are remembered. (Default: 20,000) */
  maxAnswers?: number;
  /** Questions under way at once. (Default: 500) */
  maxAsked?: number;
}

const maxTtlMs = 3_600_000;
/** node:dns tells no TTL of other records than addresses: a domain that has put one right waits no longer than this. */
const untoldTtlMs = 60_000;
const absentMs = 30_000;
/** While DNS is out, its silence costs each name one wait in this time. */
const failedMs = 5_000;

type Answer = { records: unknown } | { error: Error };

/**
 * Remembers what DNS has said: addresses for their TTL, other records and names that do not exist for a short time. Questions
 * that are the same are asked once; of too many at once, further ones fail like those that are not answered.
 */
export function cachingResolver(
  resolver: DnsResolver,
  { clock, maxAnswers = 20_000, maxAsked = 500 }: { clock: Clock } & Limits,
): Resolve {
  const known = lru<string, Answer>({
    max: maxAnswers,
    ttlResolution: 0,
    perf: { now: () => clock.now().getTime() },
  });
  const asked = new Map<string, Promise<Answer>>();

  const find = async (key: string, name: string, type: string): Promise<Answer> => {
    try {
      const { records, ttlMs } = await ask(resolver, name, type);
      const answer = { records };
      if (ttlMs > 0) known.set(key, answer, { ttl: Math.min(ttlMs, maxTtlMs) });
      return answer;
    } catch (thrown) {
      const error = thrown as Error;
      const answer = { error };
      known.set(key, answer, { ttl: isAbsent(error) ? absentMs : failedMs });
      return answer;
    }
  };

  const resolve = async (name: string, type = "A"): Promise<unknown> => {
    const key = `${type} ${name.toLowerCase().replace(/\.$/, "")}`;
    const before = known.get(key) ?? asked.get(key);
    if (!before && asked.size >= maxAsked) {
      throw Object.assign(new Error("too many DNS questions at once"), { code: "EBUSY" });
    }
    const work = before ?? find(key, name, type).finally(() => asked.delete(key));
    if (work instanceof Promise) asked.set(key, work);
    const answer = await work;
    if ("error" in answer) throw answer.error;
    return structuredClone(answer.records);
  };
  return { resolve: resolve as DnsResolver["resolve"] };
}

/** The records as `resolve` returns them. */
async function ask(resolver: DnsResolver, name: string, type: string): Promise<{ records: unknown; ttlMs: number }> {
  if (type !== "A" && type !== "AAAA") return { records: await resolver.resolve(name, type), ttlMs: untoldTtlMs };
  const found = await (type === "A" ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }));
  const seconds = Math.min(...found.map(({ ttl }) => ttl));
  return { records: found.map(({ address }) => address), ttlMs: found.length === 0 ? 0 : seconds * 1_000 };
}
