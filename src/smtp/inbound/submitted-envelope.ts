import type { SMTPServerSession } from "smtp-server";
import type { Envelope, EnvelopeAddress } from "../../store/core/db.ts";
import type { Path } from "./stages/stage.ts";

/** They say nothing about what is sent: SIZE is of the message before our trace field, AUTH (RFC 4954 §5) is not passed on. */
const ignored = new Set(["SIZE", "AUTH"]);

/** As EmailSubmission has them (RFC 8621 §7). */
export function parametersOf({ parameters }: Path): EnvelopeAddress["parameters"] {
  const given = Object.entries(parameters).filter(([name]) => !ignored.has(name));
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
