import type { DmarcVerdict, Policy } from "./dmarc.ts";
import type { IncomingHeader } from "./incoming-header.ts";
import type { Verified } from "./verify.ts";

export interface Verdict {
  /** The Authentication-Results field, with its line end. */
  field: string;
  /** Set when the message is refused: the reply's text. */
  refusal?: string;
  /** Set when the message is filed to Junk: the reason. */
  junkReason?: string;
}

export interface JudgedDomain extends DmarcVerdict {
  /** The domain is served here, has no policy of its own, and nothing shows that it sent the message. */
  isOurs: boolean;
}

export interface Judged {
  domains: JudgedDomain[];
  header: Pick<IncomingHeader, "from" | "isPassedOn">;
  verified: Pick<Verified, "results" | "signers" | "authors">;
}

/** A reason to keep a message out of the inbox. */
interface Objection {
  disposition: Exclude<Policy, "none">;
  domain: string;
  reason: string;
}

/** docs/adr/0011-dmarc.md: decides by the strictest policy of all domains that fail. */
export function decide({ domains, header, verified }: Judged): Verdict {
  const isAmbiguous = header.from.length > 1;
  const judged = domains.map((domain) =>
    isAmbiguous && domain.result === "pass" ? { ...domain, result: "fail" as const } : domain,
  );
  const objections = judged.flatMap((domain) => objectionTo(domain, isPassedOn(domain, header, verified)) ?? []);
  const rejected = objections.find(({ disposition }) => disposition === "reject");
  if (rejected) return { field: "", refusal: `refused by the DMARC policy of ${rejected.domain}` };
  const reasons = objections.map(({ reason }) => reason);
  if (!verified.authors.isClear) reasons.push("From has an address without a clear domain");
  const rows = judged.map((domain) => resultOf(domain, objections));
  if (!verified.authors.isClear) rows.push("dmarc=permerror (an address without a clear domain; dis=quarantine)");
  return { field: resultsField(verified.results, rows), ...(reasons.length > 0 && { junkReason: reasons.join("; ") }) };
}

function objectionTo(
  { domain, result, policy = "none", isOurs }: JudgedDomain,
  isOnItsWay: boolean,
): Objection | undefined {
  const quarantine = (reason: string): Objection => ({ disposition: "quarantine", domain, reason });
  if (isOurs) return quarantine(`${domain} is ours, and nothing shows that it sent this`);
  if (policy === "none") return undefined;
  if (result === "temperror") return quarantine(`DNS does not tell whether ${domain} sent this`);
  if (result !== "fail") return undefined;
  if (policy === "reject" && !isOnItsWay) return { disposition: "reject", domain, reason: "" };
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
function resultOf({ domain, result, policy }: JudgedDomain, objections: Objection[]): string {
  const disposition = objections.find((objection) => objection.domain === domain)?.disposition ?? "none";
  const asked = policy === undefined ? "" : `p=${policy} `;
  const property = policy === undefined ? "" : ` policy.dmarc=${policy}`;
  return `dmarc=${result} (${asked}dis=${disposition}) header.from=${domain}${property}`;
}

function resultsField(results: string, rows: string[]): string {
  const base = rows.length > 0 ? results.replace(/;\s*none$/, "") : results;
  return `Authentication-Results: ${[base, ...rows].join(";\r\n ")}\r\n`;
}
