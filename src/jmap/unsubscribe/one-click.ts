import { asUrls, type HeaderField } from "../../mime/headers.ts";
import type { Authentication } from "../../store/core/db.ts";

/** RFC 8058 §3.1: the one body there is. */
export const oneClickBody = "List-Unsubscribe=One-Click";

/** Why a list cannot be left by one click. */
export type Obstacle = "notOffered" | "notSigned";

/**
 * RFC 8058 §4: the URL by which a reader leaves the list, if the sender's domain stands for it: each field is there once, and a
 * DKIM signature that was valid on arrival covers both. `authentication`: what was found then.
 */
export function oneClickUrl(fields: readonly HeaderField[], authentication: Authentication | null): URL | Obstacle {
  const [url, ...moreUrls] = valuesOf(fields, "list-unsubscribe");
  const [post, ...morePosts] = valuesOf(fields, "list-unsubscribe-post");
  if (url === undefined || post?.replace(/\s+/g, "").toLowerCase() !== oneClickBody.toLowerCase()) return "notOffered";
  // A field that was added on the way stands before the signed one.
  if (moreUrls.length + morePosts.length > 0) return "notSigned";
  const target = (asUrls(url) ?? [])
    .flatMap((text) => URL.parse(text) ?? [])
    .find(({ protocol }) => protocol === "https:");
  if (!target) return "notOffered";
  return isSigned(fields, authentication) ? target : "notSigned";
}

function isSigned(fields: readonly HeaderField[], authentication: Authentication | null): boolean {
  const signatures = valuesOf(fields, "dkim-signature").map(readTags);
  return (authentication?.dkim ?? []).some(({ domain, selector }) => {
    // Which of several signatures of one key passed is not known, so all must have, and all cover the fields.
    const results = authentication!.dkim.filter((one) => one.domain === domain && one.selector === selector);
    const ofKey = signatures.filter(({ d, s }) => d === domain.toLowerCase() && s === selector.toLowerCase());
    const haveAllPassed = results.every(({ result }) => result === "pass") && results.length === ofKey.length;
    return haveAllPassed && ofKey.every(({ h }) => covers(h));
  });
}

const covers = (names = ""): boolean => {
  const signed = new Set(names.split(":"));
  return signed.has("list-unsubscribe") && signed.has("list-unsubscribe-post");
};

/** RFC 6376 §3.2: `d`, `s` and `h`, in lower case and without white space. */
function readTags(value: string): { d?: string; s?: string; h?: string } {
  const pairs = value.split(";").map((tag) => tag.replace(/\s+/g, "").toLowerCase().split("=", 2));
  return Object.fromEntries(pairs.filter(([name]) => name === "d" || name === "s" || name === "h"));
}

const valuesOf = (fields: readonly HeaderField[], wanted: string): string[] =>
  fields.filter(({ name }) => name.toLowerCase() === wanted).map(({ value }) => value);
