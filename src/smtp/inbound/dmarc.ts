import type { LookUp } from "./look-up.ts";
import type { Verified } from "./verify.ts";

export type Policy = "none" | "quarantine" | "reject";

/** RFC 9989 §5.3: the DMARC verdict on one Author Domain. */
export interface DmarcVerdict {
  domain: string;
  /** `temperror`: DNS did not answer, so it is unknown whether the domain passes. */
  result: "pass" | "fail" | "none" | "temperror";
  /** What the domain asks for when it fails; undefined when it has no known policy. */
  policy: Policy | undefined;
  /** The organizational domain, when it has a policy. */
  organization?: string;
  /** Where the policy was found, and its text; undefined when there is none. */
  published?: { domain: string; record: string };
  /** RFC 9989 §4.4: whether what each method authenticated is aligned. */
  aligned?: { spf: boolean; dkim: boolean };
}

/**
 * RFC 9989: whether an authenticated domain is aligned with this one, and the policy that the tree walk finds. Judges
 * our own reading of From, never the library's.
 */
export async function judgeDomain(
  domain: string,
  { spf, dkim }: Pick<Verified, "spf" | "dkim">,
  lookUp: LookUp,
): Promise<DmarcVerdict> {
  const { dmarc } = await import("mailauth");
  const judge = (spfDomains: string[], dkimDomains: string[]) =>
    dmarc({
      headerFrom: [`author@${domain}`],
      spfDomains,
      dkimDomains: dkimDomains.map((name) => ({ domain: name })),
      resolver: lookUp as (name: string, type: string) => Promise<string[][]>,
    });
  const judged = await judge(spf.passed, dkim.passed);
  if (!judged) return { domain, result: "none", policy: undefined };
  const policy = policyOf(judged.policy);
  let { result } = judged.status;
  if (result === "fail" && spf.unknown.length + dkim.unknown.length > 0) {
    // An unanswered DNS query matters only if its domain could have been aligned.
    const hoped = await judge([...spf.passed, ...spf.unknown], [...dkim.passed, ...dkim.unknown]);
    if (hoped && hoped.status.result !== "fail") result = "temperror";
  }
  const { policyDomain, rr, alignment } = judged;
  return {
    ...{ domain, policy, organization: judged.domain },
    result: result === "pass" || result === "fail" || result === "none" ? result : "temperror",
    ...(policyDomain !== undefined && rr !== undefined && { published: { domain: policyDomain, record: rr } }),
    ...(alignment && { aligned: { spf: Boolean(alignment.spf.result), dkim: Boolean(alignment.dkim.result) } }),
  };
}

function policyOf(text: string | undefined): Policy | undefined {
  return text === "none" || text === "quarantine" || text === "reject" ? text : undefined;
}
