import { splitAddress } from "../../base/address.ts";
import { dkimSignature } from "../../mail/submit/dkim.ts";
import { asAddresses, parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import { findDomain } from "../../store/directory/directory.ts";
import type { LeasedSubmission } from "../../store/queues/deliveries.ts";
import type { MailOutOptions } from "./options.ts";
import { traceField } from "./trace-field.ts";

/** The key of the author's domain could not be used. */
export class SigningFailed extends Error {}

/** One form of the outgoing message with our trace field, signed if its author's domain is ours (RFC 6376). */
export async function sign(leased: LeasedSubmission, message: Buffer, options: MailOutOptions): Promise<Buffer> {
  const from = parseHeader(message.subarray(0, headerEnd(message))).find(({ name }) => /^from$/i.test(name));
  const author = splitAddress(asAddresses(from?.value ?? "")[0]?.email ?? "");
  const domain = author && (await findDomain(options.store.database, author.domain));
  const key = domain?.dkimKey && { domain: domain.name, selector: domain.dkimSelector, privateKey: domain.dkimKey };
  const signature = key ? await dkimSignature(message, key, options.clock.now()).catch(throwSigningFailed) : "";
  return Buffer.concat([Buffer.from(signature + traceField(leased, options)), message]);
}

function throwSigningFailed(cause: Error): never {
  throw new SigningFailed(`the message cannot be signed: ${cause.message}`, { cause });
}
