import { type AuthenticateOptions, type AuthenticateResult, authenticate } from "mailauth";
import type { Authentication } from "../../store/core/db.ts";
import { type ArcSet, readArcSets } from "./arc-sets.ts";
import { type Authors, readAuthors } from "./authors.ts";
import type { LookUp } from "./look-up.ts";

export interface Sender {
  /** "" for the null sender. */
  mailFrom: string;
  helo: string;
  address: string;
}

/** RFC 9989 §3.2.4: the domains that a method authenticated, and those that DNS did not answer for. */
export interface Identifiers {
  passed: string[];
  unknown: string[];
}

/** What is verified: the message as a verifier should read it, and the values of From as clients read them. */
export interface ToVerify {
  message: Buffer;
  from: string[];
}

/**
 * The results of SPF, DKIM and ARC, and their domains, as far as others need them; plain data, so that a thread can
 * return it.
 */
export interface Verified {
  /** The value of Authentication-Results, folded. */
  results: string;
  spf: Identifiers;
  dkim: Identifiers;
  /** The domains of all signatures, good or bad. */
  signers: string[];
  authors: Pick<Authors, "domains" | "isClear">;
  /** What is kept with the message. */
  found: Pick<Authentication, "spf" | "dkim" | "arc">;
  /** Of an ARC chain that was verified, the oldest first. */
  arcSets: ArcSet[];
}

/** More are verified, but not kept. */
const maxSignatures = 20;

export async function verify(
  { message, from }: ToVerify,
  sender: Sender,
  { hostname, lookUp }: { hostname: string; lookUp: LookUp },
): Promise<Verified> {
  const options: AuthenticateOptions = {
    ip: sender.address,
    helo: sender.helo,
    sender: sender.mailFrom,
    mta: hostname,
    resolver: lookUp as NonNullable<AuthenticateOptions["resolver"]>,
    // The library would parse From in its own way.
    disableDmarc: true,
    disableBimi: true,
  };
  const { domains, isClear } = readAuthors(from);
  const { headers, spf, dkim, arc } = await authenticate(message, options);
  const signatures = dkim.results.map(({ signingDomain = "", status }) => ({ domain: signingDomain, status }));
  return {
    results: /^Authentication-Results: ([\s\S]*?)\r\n(?![ \t])/im.exec(`${headers}\r\n`)?.[1] ?? `${hostname}; none`,
    spf: identifiers(spf ? [spf] : []),
    dkim: identifiers(signatures),
    signers: signatures.map(({ domain }) => domain).filter((domain) => domain !== ""),
    authors: { domains, isClear },
    ...foundIn({ spf, dkim, arc }),
  };
}

function foundIn({
  spf,
  dkim,
  arc,
}: Pick<AuthenticateResult, "spf" | "dkim" | "arc">): Pick<Verified, "found" | "arcSets"> {
  const isSealed = arc !== false && arc.status.result === "pass";
  const arcSets = isSealed ? readArcSets((arc as { chain?: unknown }).chain) : [];
  return {
    arcSets,
    found: {
      spf: spf ? { result: spf.status.result, domain: spf.domain || null } : { result: "none", domain: null },
      dkim: dkim.results
        .filter(({ signingDomain }) => signingDomain)
        .slice(0, maxSignatures)
        .map(({ status, signingDomain, selector }) => {
          return { result: status.result, domain: String(signingDomain).toLowerCase(), selector: selector ?? "" };
        }),
      arc: { result: arc === false ? "none" : arc.status.result, sealers: arcSets.map(({ sealer }) => sealer) },
    },
  };
}

function identifiers(found: { domain: string; status: { result: string } }[]): Identifiers {
  const having = (result: string) =>
    found.filter(({ domain, status }) => domain && status.result === result).map(({ domain }) => domain);
  return { passed: having("pass"), unknown: having("temperror") };
}
