import type { Config } from "../config/schema.ts";
import { DnssecResolver } from "../smtp/outbound/tls-policy/dnssec-resolver.ts";
import { tlsRulesBy } from "../smtp/outbound/tls-policy/find-tls-rules.ts";
import { StsPolicies } from "../smtp/outbound/tls-policy/sts-policies.ts";
import type { FindTlsRules } from "../smtp/outbound/tls-rules.ts";
import type { Parts } from "./parts.ts";
import { countTls } from "./reporting.ts";

const refreshEveryMs = 3_600_000;

/** The rules for TLS on the way to other servers; refreshes the policies that domains publish until it is stopped. */
export function startTlsPolicy(
  { allowPrivateTargets, dnssecResolver, tlsRules }: Config,
  { store, events, reportCounts, surroundings }: Parts,
): { rules: FindTlsRules; stop(): Promise<void> } {
  const { clock, log, resolver } = surroundings;
  const ending = new AbortController();
  const { signal } = ending;
  const sts = new StsPolicies({ database: store.database, clock, log, resolver, allowPrivateTargets, signal });
  const rules = tlsRulesBy({
    levels: new Map(tlsRules.map(({ domain, level }) => [domain, level])),
    dnssec: dnssecResolver === "" ? undefined : new DnssecResolver(dnssecResolver),
    ...{ sts, clock },
    onSession: (session) => {
      events.tlsJudged({ policy: session.policy.type, result: session.fault?.result ?? "success" });
      if (reportCounts) countTls(reportCounts, session);
    },
  });
  let refreshing = Promise.resolve();
  const refresh = () => {
    refreshing = sts
      .refresh()
      .catch((error: Error) => log.warn({ reason: error.message }, "MTA-STS policies could not be fetched again"));
  };
  const timer = setInterval(refresh, refreshEveryMs).unref();
  const stop = async () => {
    clearInterval(timer);
    ending.abort();
    await refreshing;
  };
  return { rules, stop };
}
