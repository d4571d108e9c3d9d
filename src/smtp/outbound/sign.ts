import { dkimSignatures } from "../../mail/submit/dkim.ts";
import type { LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { Domains } from "./domains.ts";
import type { MailOutOptions } from "./options.ts";
import { authorDomain } from "./return-path.ts";
import { traceField } from "./trace-field.ts";

/** The key of the author's domain could not be used. */
export class SigningFailed extends Error {}

/** One form of the outgoing message with our trace field, signed if its author's domain is ours (RFC 6376). */
export async function sign(
  leased: LeasedSubmission,
  message: Buffer,
  domains: Domains,
  options: MailOutOptions,
): Promise<Buffer> {
  const author = authorDomain(message);
  const keys = author === undefined ? [] : await domains.keysOf(author);
  const signature = await dkimSignatures(message, keys, options.clock.now()).catch(throwSigningFailed);
  return Buffer.concat([Buffer.from(signature + traceField(leased, options)), message]);
}

function throwSigningFailed(cause: Error): never {
  throw new SigningFailed(`the message cannot be signed: ${cause.message}`, { cause });
}
