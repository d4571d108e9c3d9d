import type { Authentication } from "../../store/core/db.ts";
import { isAbsent } from "../resolver.ts";
import type { DmarcVerdict } from "./dmarc.ts";
import type { LookUp } from "./look-up.ts";

type Bimi = Authentication["bimi"];

/**
 * Whether the author's domain publishes a logo (draft-brand-indicators-for-message-identification): the record alone, in the
 * domain or else in its organization. Logos and certificates are not fetched. Only mail that passes an enforced DMARC policy
 * may show one.
 */
export async function judgeBimi(domains: readonly DmarcVerdict[], lookUp: LookUp): Promise<Bimi> {
  const [author, ...others] = domains;
  if (!author) return { result: "none", domain: null };
  const { domain, organization } = author;
  const isEnforced = author.policy === "quarantine" || author.policy === "reject";
  if (others.length > 0 || author.result !== "pass" || !isEnforced) return { result: "skipped", domain };
  for (const place of new Set([domain, organization ?? domain])) {
    const result = await recordOf(place, lookUp);
    if (result !== "none") return { result, domain: place };
  }
  return { result: "none", domain };
}

async function recordOf(domain: string, lookUp: LookUp): Promise<Bimi["result"]> {
  try {
    const texts = ((await lookUp(`default._bimi.${domain}`, "TXT")) as string[][]).map((parts) => parts.join(""));
    const records = texts.filter((text) => /^\s*v\s*=\s*BIMI1\s*(;|$)/i.test(text));
    if (records.length === 0) return "none";
    if (records.length > 1) return "fail";
    const tags = new Map(
      records[0]!.split(";").map((tag) => {
        const [name = "", ...value] = tag.split("=");
        return [name.trim().toLowerCase(), value.join("=").trim()];
      }),
    );
    const location = tags.get("l");
    if (location === undefined) return "fail";
    if (location === "") return (tags.get("a") ?? "") === "" ? "declined" : "fail";
    return /^https:\/\/\S+$/i.test(location) ? "pass" : "fail";
  } catch (error) {
    return isAbsent(error) ? "none" : "temperror";
  }
}
