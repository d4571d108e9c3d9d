import { splitAddress } from "../../base/address.ts";
import { parameterOf } from "../../mail/submit/submit-parameters.ts";
import { asAddresses, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { Domains } from "./domains.ts";
import type { MailOutOptions } from "./options.ts";

/** The domain of the message's first author, in lower case. */
export function authorDomain(message: Buffer): string | undefined {
  const from = parseHeader(message.subarray(0, headerEnd(message))).find(({ name }) => /^from$/i.test(name));
  return splitAddress(asAddresses(from?.value ?? "")[0]?.email ?? "")?.domain;
}

/**
 * The sender in a transaction with another server: a signed return path, in the author's domain so that SPF aligns with
 * DMARC (RFC 9989). For an author elsewhere, as of mail that is passed on, in the domain of the envelope's sender. Mail
 * without a sender stays so, since a report about it must not be made (RFC 5321 §4.5.5).
 */
export async function returnPathOf(
  leased: LeasedSubmission,
  message: Buffer,
  domains: Domains,
  { returnPaths, signsReturnPath, clock }: MailOutOptions,
): Promise<string> {
  const { mailFrom } = leased;
  if (mailFrom === "" || !signsReturnPath) return mailFrom;
  for (const domain of [authorDomain(message), splitAddress(mailFrom)?.domain]) {
    const found = domain === undefined ? undefined : await domains.find(domain);
    if (found) return returnPaths.address(leased, found.name, clock.now());
  }
  return mailFrom;
}

type Parameters = LeasedSubmission["parameters"];

/**
 * RFC 3461 §5.2.1: without an ORCPT the original recipient is the one that we name, so that a report from behind an alias or
 * a list says who was written to.
 */
export function withOriginal(parameters: Parameters, rcptTo: string): Parameters {
  if (parameterOf(parameters, "ORCPT") !== undefined) return parameters;
  return { ...parameters, ORCPT: `rfc822;${rcptTo}` };
}
