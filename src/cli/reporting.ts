import type { Config } from "../config/schema.ts";
import type { DmarcCounted } from "../mail/reports/dmarc-report.ts";
import type { ReportCounts } from "../mail/reports/report-counts.ts";
import { ReportSender } from "../mail/reports/report-sender.ts";
import { tagsOf } from "../mail/reports/rua.ts";
import { Poster } from "../push/webpush/post.ts";
import type { DmarcSeen } from "../smtp/inbound/authenticate.ts";
import type { TlsSession } from "../smtp/outbound/tls-policy/find-tls-rules.ts";
import type { Parts } from "./parts.ts";

const lookEveryMs = 3_600_000;
const firstAfterMs = 5 * 60_000;

/** Sends the reports of the days that are over, until it is stopped. */
export function startReports(
  { reportsFrom, hostname, allowPrivateTargets }: Config,
  parts: Parts,
): () => Promise<void> {
  const { store, blobs, surroundings } = parts;
  const { clock, random, log, resolver } = surroundings;
  const poster = new Poster({ resolver, allowPrivateTargets });
  const post = (url: string, headers: Record<string, string>, body: Buffer) => poster.post(url, headers, body);
  const means = { store, blobs, clock, random, log, resolver, hostname, from: reportsFrom, post };
  const sender = new ReportSender(means);
  const ending = new AbortController();
  let running = Promise.resolve();
  const run = () => {
    running = running
      .then(() => sender.run(ending.signal))
      .catch((error: Error) => log.warn({ reason: error.message }, "reports could not be sent"));
  };
  // By chance, so that servers do not look in step.
  const first = setTimeout(run, firstAfterMs * (1 + Math.random())).unref();
  const timer = setInterval(run, lookEveryMs).unref();
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    ending.abort();
    await running;
    poster.close();
  };
}

/** RFC 9990: counts a message for the owner of the policy, if he wants reports. */
export function countDmarc(counts: ReportCounts, seen: DmarcSeen): void {
  const { verdict, published, sender, disposition, found } = seen;
  const { spf } = found;
  const tags = tagsOf(published.record);
  if (!tags.get("rua")) return;
  const policy = Object.fromEntries([...tags].filter(([tag]) => policyTags.has(tag)));
  const counted: DmarcCounted = {
    policy,
    source: sender.address,
    disposition,
    dkim: verdict.aligned?.dkim ? "pass" : "fail",
    spf: verdict.aligned?.spf ? "pass" : "fail",
    headerFrom: verdict.domain,
    envelopeFrom: sender.mailFrom.slice(sender.mailFrom.lastIndexOf("@") + 1).toLowerCase(),
    reason: reasonOf(seen),
    auth: {
      dkim: found.dkim.slice(0, maxSignatures),
      spf: spf.domain === null ? null : { domain: spf.domain, result: spf.result, scope: scopeOf(sender) },
    },
  };
  counts.countDmarc(published.domain, counted);
}

/** RFC 9990 §3.1.1.9: why the policy was not applied as it stands. */
function reasonOf({ verdict, disposition, override }: DmarcSeen): DmarcCounted["reason"] {
  const { result, policy } = verdict;
  if (typeof override === "object") {
    return { type: "trusted_forwarder", comment: `the ARC seal of ${override.forwarder} vouches for it` };
  }
  if (override) return { type: "local_policy", comment: "as the operator decided for the domain" };
  const isWeaker = result === "fail" && policy !== "none" && disposition !== policy;
  return isWeaker ? { type: "local_policy", comment: "passed on by a list or a forwarder" } : null;
}

const scopeOf = ({ mailFrom }: DmarcSeen["sender"]) => (mailFrom === "" ? "helo" : "mfrom");

const policyTags = new Set(["p", "sp", "np", "adkim", "aspf", "fo", "t"]);
/** RFC 9990 §3.1.1.11 */
const maxSignatures = 100;

/** RFC 8460: counts a connection for the domain that it was opened for. */
export function countTls(counts: ReportCounts, { domain, policy, server, fault }: TlsSession): void {
  const failed = fault && { result: fault.result, words: fault.words.slice(0, maxWords) };
  counts.countTls(domain, {
    policy,
    fault: failed ? { ...failed, host: server.name, address: server.address } : null,
  });
}

const maxWords = 200;
