import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { lru } from "../../../base/lru.ts";
import type { Database } from "../../../store/core/database.ts";
import {
  dropStsPolicies,
  findStsPolicy,
  keepStsPolicy,
  type StoredStsPolicy,
  staleStsPolicies,
  touchStsPolicy,
} from "../../../store/queues/sts-policies.ts";
import { isAbsent, withTimeout } from "../../resolver.ts";
import { fetchStsPolicy, StsFetchFailed, type StsFetchOptions } from "./sts-fetch.ts";
import { BadStsPolicy, parseStsPolicy, type StsPolicy, stsId } from "./sts-policy.ts";
import type { TlsFault } from "./tls-fault.ts";

export interface StsOptions extends StsFetchOptions {
  database: Database;
  clock: Clock;
  log: Log;
}

/** What is known of a domain: its policy as it was fetched, or why a policy that it announces could not be. */
export type StsFound = { policy: StsPolicy; text: string } | { fault: TlsFault };

/** So long the same answer holds without another look at DNS. */
const freshMs = 5 * 60_000;
const maxKept = 20_000;
const maxDnsMs = 10_000;
const dayMs = 86_400_000;
/** A policy that no mail asked for in this time is not fetched again. */
const usedWithinMs = 30 * dayMs;
const refreshedAtOnce = 20;

/** The MTA-STS policies of other domains, which all processes share in the database (RFC 8461). */
export class StsPolicies {
  readonly #options: StsOptions;
  readonly #fresh = lru<string, { at: number; found: Promise<StsFound | undefined> }>({ max: maxKept });

  constructor(options: StsOptions) {
    this.#options = options;
  }

  /** What applies to mail for the domain now; undefined when it has no policy. Throws only when the database fails. */
  find(domain: string): Promise<StsFound | undefined> {
    const now = this.#now();
    const kept = this.#fresh.get(domain);
    if (kept && now - kept.at < freshMs && now >= kept.at) return kept.found;
    const found = this.#find(domain);
    this.#fresh.set(domain, { at: now, found });
    found.catch(() => this.#fresh.delete(domain));
    return found;
  }

  /** Fetches the policies in use again that were fetched a day ago or end soon, and forgets those that ended. */
  async refresh(): Promise<void> {
    const { database, log } = this.#options;
    await dropStsPolicies(database, new Date(this.#now()));
    while (!this.#options.signal?.aborted) {
      const now = this.#now();
      const since = {
        checked: new Date(now - dayMs),
        used: new Date(now - usedWithinMs),
        endsBy: new Date(now + dayMs),
      };
      const stale = await staleStsPolicies(database, { ...since, now: new Date(now), limit: refreshedAtOnce });
      await Promise.all(
        stale.map(async (stored) => {
          const fetched = await this.#fetch(stored.domain, stored.policyId);
          if ("policy" in fetched) this.#fresh.delete(stored.domain);
          else log.info({ domain: stored.domain, reason: fetched.fault.words }, "an MTA-STS policy stays as it was");
        }),
      );
      if (stale.length < refreshedAtOnce) return;
    }
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  async #find(domain: string): Promise<StsFound | undefined> {
    const { database } = this.#options;
    const [stored, id] = await Promise.all([findStsPolicy(database, domain), this.#announced(domain)]);
    const now = this.#now();
    const kept = stored && stored.expiresAt.getTime() > now ? read(stored) : undefined;
    if (stored && kept && now - stored.usedAt.getTime() > dayMs) await touchStsPolicy(database, domain, new Date(now));
    // RFC 8461 §3.1, §5.1: what was fetched applies until it ends, whatever becomes of the record or the policy's host.
    if (id === undefined || (kept && stored!.policyId === id)) return kept;
    const fetched = await this.#fetch(domain, id);
    return "policy" in fetched ? fetched : (kept ?? fetched);
  }

  /** The id in DNS; undefined if there is none, or DNS does not answer. */
  async #announced(domain: string): Promise<string | undefined> {
    const { resolver, log } = this.#options;
    try {
      const records = await withTimeout(resolver.resolve(`_mta-sts.${domain}`, "TXT"), maxDnsMs, domain);
      return stsId(records as string[][]);
    } catch (error) {
      if (!isAbsent(error)) log.debug({ domain, err: error }, "DNS does not tell whether a domain has MTA-STS");
      return undefined;
    }
  }

  async #fetch(domain: string, policyId: string): Promise<StsFound> {
    const { database, clock } = this.#options;
    try {
      const text = await fetchStsPolicy(domain, this.#options);
      const policy = parseStsPolicy(text);
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + policy.maxAgeSeconds * 1_000);
      await keepStsPolicy(database, { domain, policyId, policy: text, checkedAt: now, usedAt: now, expiresAt });
      return { policy, text };
    } catch (error) {
      if (error instanceof StsFetchFailed) return { fault: error.fault };
      if (error instanceof BadStsPolicy) return { fault: { result: "sts-policy-invalid", words: error.message } };
      throw error;
    }
  }
}

function read({ policy: text }: StoredStsPolicy): StsFound {
  return { policy: parseStsPolicy(text), text };
}
