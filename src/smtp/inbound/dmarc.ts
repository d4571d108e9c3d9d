import type { LookUp } from "./look-up.ts";
import type { Verified } from "./verify.ts";

export type Policy = "none" | "quarantine" | "reject";

/** RFC 9989 §5.3: what DMARC says of one Author Domain. */
export interface DmarcVerdict {
  domain: string;
  /** `temperror`: DNS did not tell whether it passes. */
  result: "pass" | "fail" | "none" | "temperror";
  /** What the domain asks for where it fails, and undefined where nothing is known. */
  policy: Policy | undefined;
}

/**
 * RFC 9989: whether what was authenticated is aligned with the domain, and the policy found by the tree walk. The From
 * that is judged is never the library's own reading.
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
    // What DNS did not tell matters only where it could have helped: a stranger's domain never could.
    const hoped = await judge([...spf.passed, ...spf.unknown], [...dkim.passed, ...dkim.unknown]);
    if (hoped && hoped.status.result !== "fail") result = "temperror";
  }
  return { domain, result: result === "pass" || result === "fail" || result === "none" ? result : "temperror", policy };
}

function policyOf(text: string | undefined): Policy | undefined {
  return text === "none" || text === "quarantine" || text === "reject" ? text : undefined;
}
