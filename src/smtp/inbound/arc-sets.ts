import { withoutComments } from "../../mime/tokens.ts";

/** RFC 8617 §4.1: what a server on the way found, and the domain that vouches for it. */
export interface ArcSet {
  sealer: string;
  /** The value of its ARC-Authentication-Results. */
  results: string;
}

const maxSets = 50;

/** Reads the sets of a chain as the verifier found it, the oldest first. The chain must have been verified. */
export function readArcSets(chain: unknown): ArcSet[] {
  if (!Array.isArray(chain)) return [];
  return chain.slice(0, maxSets).map((set: Record<string, Field | undefined>) => ({
    sealer: String(set["arc-seal"]?.parsed?.d?.value ?? "").toLowerCase(),
    results: String(set["arc-authentication-results"]?.original ?? "").replace(/^[^:]*:/, ""),
  }));
}

interface Field {
  original?: unknown;
  parsed?: Record<string, { value?: unknown } | undefined>;
}

/**
 * RFC 8617 §7.2: whether a server that is trusted saw DMARC pass for the domain, and only servers that are trusted had the
 * message since. Returns its name.
 */
export function voucherFor(domain: string, sets: readonly ArcSet[], trusted: readonly string[]): string | undefined {
  for (const { sealer, results } of sets.toReversed()) {
    if (!trusted.includes(sealer)) return undefined;
    const saw = results.split(";").some((result) => {
      const plain = withoutComments(result);
      const from = /\bheader\.from\s*=\s*([^\s;]+)/i.exec(plain)?.[1];
      return /^\s*dmarc\s*=\s*pass\b/i.test(plain) && from?.toLowerCase() === domain;
    });
    if (saw) return sealer;
  }
  return undefined;
}
