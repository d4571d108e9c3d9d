import type { Log } from "../../base/log.ts";
import { TooSlow } from "../../base/threads.ts";
import type { Resolve } from "../resolver.ts";
import { readAuthors } from "./authors.ts";
import { judgeBimi } from "./bimi.ts";
import { type Disposed, decide, dispositionOf, type LocalPolicies, type Verdict } from "./disposition.ts";
import { type DmarcVerdict, judgeDomain } from "./dmarc.ts";
import { type IncomingHeader, isOverlong, plainly } from "./incoming-header.ts";
import { type LookUp, lookUps } from "./look-up.ts";
import { verifyAside } from "./verifier.ts";
import type { Sender, Verified } from "./verify.ts";

export interface Means {
  resolver: Resolve;
  hostname: string;
  log: Log;
  /** True when the domain or one of its parents is served here. */
  isOurs(domain: string): Promise<boolean>;
  /** What the operator decided. */
  policies?: LocalPolicies;
  /** Is told what DMARC found for each author's domain that has a policy. */
  onDmarc?: ((seen: DmarcSeen) => void) | undefined;
}

/** RFC 9990: what the owner of a policy may want to know of a message. */
export interface DmarcSeen extends Disposed {
  verdict: DmarcVerdict;
  published: { domain: string; record: string };
  sender: Sender;
  /** All results of SPF and DKIM. */
  found: Pick<Verified["found"], "spf" | "dkim">;
}

const maxVerifyMs = 15_000;
/** DMARC has a time limit of its own: slow answers about one domain must not hide the policy of another. */
const maxPolicyMs = 8_000;
/** RFC 9989 §11.5: each domain costs up to eight DNS queries. */
const maxDomains = 10;
/** A longer From is parsed in a thread or not at all. */
const maxInlineLength = 10_000;
const lengthOf = (from: readonly string[]) => from.reduce((sum, value) => sum + value.length, 0);

/** Checks SPF, DKIM and ARC of the message, and DMARC of every author that a client will show (RFC 9989 §5.3). */
export async function authenticate(
  message: Buffer,
  header: IncomingHeader,
  sender: Sender,
  means: Means,
): Promise<Verdict> {
  const excessive = { field: "", refusal: "From names too many authors to check" };
  if (header.isFromExcessive) return excessive;
  const verified = await verify(message, header, sender, means);
  if (!verified || verified.authors.domains.length > maxDomains) return excessive;
  const { authors } = verified;
  const lookUp = lookUps(means.resolver, maxPolicyMs);
  const domains = await Promise.all(
    authors.domains.map(async (domain) => {
      const verdict = await judgeDomain(domain, verified, lookUp);
      return { ...verdict, isOurs: await isUnprotected(verdict, verified, means) };
    }),
  );
  for (const verdict of means.onDmarc ? domains : []) {
    const { published } = verdict;
    if (!published) continue;
    const done = dispositionOf(verdict, { header, verified }, means.policies);
    means.onDmarc?.({ verdict, published, sender, ...done, found: verified.found });
  }
  const bimi = await judgeBimi(domains, lookUp);
  return decide({ domains, header, verified, bimi }, means.policies);
}

/**
 * True for a domain served here without a DMARC policy, when no aligned SPF or DKIM result shows that it sent the
 * message.
 */
async function isUnprotected(
  { domain, policy }: DmarcVerdict,
  { spf, dkim }: Verified,
  { isOurs }: Means,
): Promise<boolean> {
  if (policy !== undefined) return false;
  const isAligned = (name: string) => isWithin(name, domain) || isWithin(domain, name);
  if ([...spf.passed, ...dkim.passed].some((name) => isAligned(name.toLowerCase()))) return false;
  return isOurs(domain);
}

const isWithin = (name: string, domain: string) => name === domain || name.endsWith(`.${domain}`);

/**
 * When verifying the signatures takes too long, SPF and DMARC by SPF are still judged: `lookUps` remembers the DNS
 * answers of the first try. Undefined when not even From could be read in time.
 */
async function verify(
  message: Buffer,
  header: IncomingHeader,
  sender: Sender,
  { resolver, hostname, log }: Means,
): Promise<Verified | undefined> {
  const means = { hostname, lookUp: lookUps(resolver, maxVerifyMs) };
  const { from } = header;
  try {
    if (isOverlong(message, header)) return await verifyBare(header, sender, means);
    return await verifyAside({ message: plainly(message, header), from }, sender, means).catch((error: unknown) => {
      if (!(error instanceof TooSlow)) throw error;
      return verifyBare(header, sender, means);
    });
  } catch (error) {
    log.warn({ err: error }, "authentication of a message failed");
    if (lengthOf(from) > maxInlineLength) return undefined;
    const authors = readAuthors(from);
    // Any of these domains might have been authenticated.
    const unknown = { passed: [], unknown: authors.domains };
    const nothing = { spf: { result: "temperror", domain: null }, dkim: [], arc: { result: "none", sealers: [] } };
    const bare = { results: `${hostname}; none`, signers: [], authors, found: nothing, arcSets: [] };
    return { ...bare, spf: unknown, dkim: unknown };
  }
}

async function verifyBare(
  { from, isSigned }: IncomingHeader,
  sender: Sender,
  means: { hostname: string; lookUp: LookUp },
): Promise<Verified> {
  const verified = await verifyAside({ message: Buffer.from("\r\n"), from }, sender, means);
  const unsigned = "dkim=none (message not signed)";
  const results = isSigned ? verified.results.replace(unsigned, "dkim=neutral (too long to verify)") : verified.results;
  return { ...verified, results };
}
