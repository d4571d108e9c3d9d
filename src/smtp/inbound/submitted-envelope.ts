import type { SMTPServerSession } from "smtp-server";
import type { Envelope, EnvelopeAddress } from "../../store/core/db.ts";
import type { Path } from "./stages/stage.ts";

/** As EmailSubmission has them (RFC 8621 §7). SIZE is left out: it is of the message before our trace field. */
export function parametersOf({ parameters }: Path): EnvelopeAddress["parameters"] {
  const given = Object.entries(parameters).filter(([name]) => name !== "SIZE");
  if (given.length === 0) return null;
  return Object.fromEntries(given.map(([name, value]) => [name, value === true ? null : String(value)]));
}

/** The envelope as EmailSubmission has it. */
export function envelopeOf({ envelope: { mailFrom, rcptTo } }: SMTPServerSession): Envelope {
  const of = ({ address, args }: { address: string; args: object | false }): EnvelopeAddress => ({
    email: address,
    parameters: parametersOf({ address, parameters: (args || {}) as Path["parameters"] }),
  });
  if (!mailFrom) throw new Error("a message has no MAIL");
  return { mailFrom: of(mailFrom), rcptTo: rcptTo.map(of) };
}
