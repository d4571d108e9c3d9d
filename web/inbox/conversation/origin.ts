/**
 * What is known of who sent a mail, in a reader's terms. It rests on what our own server found and keeps
 * (docs/jmap.md, "Who sent it"): anybody can write a header field that says so.
 */
export interface Origin {
  /**
   * `proved`: the author's domain sent it. `forged`: that domain says it did not. `unproved`: nothing shows who did.
   * `unsure`: it could not be found out. `unknown`: it was not checked, as for drafts and mail between users here.
   */
  verdict: "proved" | "forged" | "unproved" | "unsure" | "unknown";
  /** The domain of the author's address; "" if there is none. */
  domain: string;
  /** What each method said, for those who want to know: `dkim`, `pass`, `example.org`. */
  results: Result[];
}

export interface Result {
  method: string;
  result: string;
  /** The domain or address that it is about; "" if it names none. */
  about: string;
}

/** docs/jmap.md, "Who sent it": null for mail that did not come by SMTP from another server. */
export interface Authentication {
  spf: { result: string; domain: string | null };
  dkim: { result: string; domain: string; selector: string }[];
  dmarc: { result: string; domain: string; policy: string | null; override: string | null }[];
}

/** `author`: the address in From; "" if there is none. */
export function readOrigin(authentication: Authentication | null | undefined, author: string): Origin {
  const domain = author.slice(author.lastIndexOf("@") + 1).toLowerCase();
  if (!authentication) return { verdict: "unknown", domain, results: [] };
  return { verdict: verdictOf(authentication, domain), domain, results: resultsOf(authentication) };
}

function verdictOf({ spf, dkim, dmarc }: Authentication, domain: string): Origin["verdict"] {
  // Whom the operator, or a forwarder that is believed, speaks for is no forger.
  const isForged = ({ result, override }: Authentication["dmarc"][number]) =>
    (result === "fail" || result === "permerror") &&
    (override === null || override === "junk" || override === "reject");
  if (dmarc.some(isForged)) return "forged";
  if (domain === "") return "unproved";
  // Of several authors, each must be proved: a reader takes any of them for the sender.
  const passed = dmarc.filter(({ result }) => result === "pass");
  if (passed.length > 0 && passed.length === dmarc.length && passed.some((one) => one.domain === domain))
    return "proved";
  const signers = [...dkim, spf].flatMap((one) => (one.result === "pass" && one.domain ? [one.domain] : []));
  if (dmarc.length <= 1 && signers.some((signer) => speaksFor(signer.toLowerCase(), domain))) return "proved";
  if ([spf, ...dkim, ...dmarc].some(({ result }) => result === "temperror")) return "unsure";
  return "unproved";
}

/** The signing domain is the author's or one above it: never one below, which may be a customer's. */
function speaksFor(signer: string, domain: string): boolean {
  return signer === domain || (signer.includes(".") && domain.endsWith(`.${signer}`));
}

function resultsOf({ spf, dkim, dmarc }: Authentication): Result[] {
  const of = (method: string, all: readonly { result: string; domain: string | null }[]) =>
    all.map(({ result, domain }) => ({ method, result, about: domain ?? "" }));
  return [...of("spf", [spf]), ...of("dkim", dkim), ...of("dmarc", dmarc)];
}
