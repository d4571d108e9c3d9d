import type { Authentication } from "../../store/core/db.ts";
import { voucherFor } from "./arc-sets.ts";
import type { DmarcVerdict, Policy } from "./dmarc.ts";
import type { IncomingHeader } from "./incoming-header.ts";
import type { Verified } from "./verify.ts";

export interface Verdict {
  /** The Authentication-Results field, with its line end. */
  field: string;
  /** Set when the message is refused: the reply's text. */
  refusal?: string;
  /** The results of a message that is refused, for the log. */
  evidence?: string;
  /** Set when the message is filed to Junk: the reason. */
  junkReason?: string;
  /** What is kept with the message; nothing for one that is refused. */
  authentication?: Authentication;
}

/** What becomes of mail of a domain that fails DMARC, instead of what its policy says. */
export type Override = "accept" | "junk" | "reject";

/** What an operator decided. */
export interface LocalPolicies {
  /** By domain; it holds for those below it, too. */
  overrides: ReadonlyMap<string, Override>;
  /** Domains whose ARC seals are believed. */
  trustedSealers: readonly string[];
}

export interface JudgedDomain extends DmarcVerdict {
  /** The domain is served here, has no policy of its own, and nothing shows that it sent the message. */
  isOurs: boolean;
}

export interface Judged {
  domains: JudgedDomain[];
  header: Pick<IncomingHeader, "from" | "isPassedOn">;
  verified: Pick<Verified, "results" | "signers" | "authors" | "found" | "arcSets">;
  bimi: Authentication["bimi"];
}

const none: LocalPolicies = { overrides: new Map(), trustedSealers: [] };

/** A reason to keep a message out of the inbox. */
interface Objection {
  disposition: Exclude<Policy, "none">;
  domain: string;
  reason: string;
}

/** docs/adr/0011-dmarc.md: decides by the strictest policy of all domains that fail. */
export function decide({ domains, header, verified, bimi }: Judged, policies = none): Verdict {
  const judged = domains.map((domain) => withOverride(domain, { header, verified }, policies));
  const objections = judged.flatMap((domain) => objectionTo(domain, isPassedOn(domain, header, verified)) ?? []);
  const rejected = objections.find(({ disposition }) => disposition === "reject");
  const rows = judged.map((domain) => resultOf(domain, objections));
  if (rejected) {
    return { field: "", refusal: rejected.reason, evidence: onOneLine(resultsField(verified.results, rows)) };
  }
  const reasons = objections.map(({ reason }) => reason);
  if (!verified.authors.isClear) reasons.push("From has an address without a clear domain");
  if (!verified.authors.isClear) rows.push("dmarc=permerror (an address without a clear domain; dis=quarantine)");
  if (bimi.result !== "none" && bimi.result !== "skipped") {
    rows.push(`bimi=${bimi.result} header.d=${bimi.domain} header.selector=default`);
  }
  const dmarc = judged.map(({ domain, result, policy = null, override }) => ({
    ...{ result, domain, policy, override: override?.by ?? null },
  }));
  return {
    field: resultsField(verified.results, rows),
    ...(reasons.length > 0 && { junkReason: reasons.join("; ") }),
    authentication: { ...verified.found, dmarc, bimi },
  };
}

/** What decides instead of a domain's policy. */
interface Overriding {
  disposition: Policy;
  /** "accept", "junk", "reject", or the domain of a forwarder who vouches. */
  by: string;
}

const dispositions = { accept: "none", junk: "quarantine", reject: "reject" } as const;

/** A message with several values of From passes for none of them. */
function withOverride(
  domain: JudgedDomain,
  { header, verified }: Pick<Judged, "header" | "verified">,
  policies: LocalPolicies,
): Overridden {
  const isAmbiguous = header.from.length > 1;
  const result = isAmbiguous && domain.result === "pass" ? ("fail" as const) : domain.result;
  return { ...domain, result, override: overrideOf({ ...domain, result }, isAmbiguous, verified, policies) };
}

/** An operator's word about the domain, or else that of a trusted forwarder, who saw a From that was clear. */
function overrideOf(
  { domain, result, isOurs }: JudgedDomain,
  isAmbiguous: boolean,
  { arcSets }: Judged["verified"],
  { overrides, trustedSealers }: LocalPolicies,
): Overriding | undefined {
  if (result === "pass" || (result === "none" && !isOurs)) return undefined;
  const labels = domain.split(".");
  const word = labels.map((_, at) => overrides.get(labels.slice(at).join("."))).find((one) => one !== undefined);
  // DNS that does not answer is no failure.
  if (word !== undefined && (word !== "reject" || result !== "temperror")) {
    return { disposition: dispositions[word], by: word };
  }
  const voucher = isAmbiguous ? undefined : voucherFor(domain, arcSets, trustedSealers);
  return voucher === undefined ? undefined : { disposition: "none", by: voucher };
}

interface Overridden extends JudgedDomain {
  override: Overriding | undefined;
}

export interface Disposed {
  disposition: Policy | "pass";
  /** Who decided instead of the policy; undefined when nobody did. */
  override?: "operator" | { forwarder: string } | undefined;
}

/** RFC 9990 §3.1.1.9: what was done to the message for the policy of this domain. */
export function dispositionOf(
  domain: JudgedDomain,
  { header, verified }: Pick<Judged, "header" | "verified">,
  policies = none,
): Disposed {
  const overridden = withOverride(domain, { header, verified }, policies);
  if (overridden.result === "pass") return { disposition: "pass" };
  const objection = objectionTo(overridden, isPassedOn(domain, header, verified));
  const by = overridden.override?.by;
  const override = by === undefined ? undefined : by in dispositions ? ("operator" as const) : { forwarder: by };
  return { disposition: objection?.disposition ?? "none", override };
}

function objectionTo(
  { domain, result, policy = "none", isOurs, override }: Overridden,
  isOnItsWay: boolean,
): Objection | undefined {
  const quarantine = (reason: string): Objection => ({ disposition: "quarantine", domain, reason });
  const advice = "it must come from the domain's own servers, or with its DKIM signature";
  const reject = (why: string): Objection => ({ disposition: "reject", domain, reason: `${why}: ${advice}` });
  if (override?.disposition === "none") return undefined;
  if (override?.disposition === "reject") return reject(`${domain} did not send this (DMARC), and we refuse such mail`);
  if (override) return quarantine(`${domain} did not send this (DMARC): the operator has it filed here`);
  if (isOurs) return quarantine(`${domain} is ours, and nothing shows that it sent this`);
  if (policy === "none") return undefined;
  if (result === "temperror") return quarantine(`DNS does not tell whether ${domain} sent this`);
  if (result !== "fail") return undefined;
  if (policy === "reject" && !isOnItsWay) return reject(`refused by the DMARC policy of ${domain}`);
  return quarantine(`DMARC fails for ${domain}, whose policy is ${policy}`);
}

/**
 * RFC 9989 §7.4: a policy alone must not refuse a message that a list or a forwarder may have passed on and altered.
 */
function isPassedOn({ domain }: JudgedDomain, header: Judged["header"], { signers }: Judged["verified"]): boolean {
  if (header.isPassedOn) return true;
  const names = signers.map((name) => name.toLowerCase());
  return names.some((name) => name === domain || name.endsWith(`.${domain}`) || domain.endsWith(`.${name}`));
}

/** RFC 8601 §2.2, RFC 9989 §9.1 */
function resultOf({ domain, result, policy, override }: Overridden, objections: Objection[]): string {
  const disposition = objections.find((objection) => objection.domain === domain)?.disposition ?? "none";
  const asked = policy === undefined ? "" : `p=${policy} `;
  const property = policy === undefined ? "" : ` policy.dmarc=${policy}`;
  const local = override === undefined ? "" : ` local=${override.by}`;
  return `dmarc=${result} (${asked}dis=${disposition}${local}) header.from=${domain}${property}`;
}

/** The value of Authentication-Results, in one line. */
export function onOneLine(field: string): string {
  return field
    .replace(/^[^:]*:/, "")
    .replace(/\s+/g, " ")
    .trim();
}

function resultsField(results: string, rows: string[]): string {
  const base = rows.length > 0 ? results.replace(/;\s*none$/, "") : results;
  return `Authentication-Results: ${[base, ...rows].join(";\r\n ")}\r\n`;
}
