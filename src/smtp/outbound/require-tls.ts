import { hasParameter, requireTls } from "../../mail/submit/submit-parameters.ts";
import { parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { Answer } from "./reply.ts";
import type { Target } from "./route.ts";
import { type Session, Unreachable } from "./session.ts";
import type { TlsWish } from "./tls-rules.ts";

/** RFC 8689 §2, §3: what the sender asks of TLS, by the parameter of MAIL or else by the one field TLS-Required. */
export function wishOf(parameters: Record<string, string | null> | null, message: Buffer): TlsWish | undefined {
  if (hasParameter(parameters, requireTls)) return "required";
  const fields = parseHeader(message.subarray(0, headerEnd(message)), (name) => /^tls-required$/i.test(name));
  const isWaived = fields.length === 1 && /^\s*no\s*$/i.test(fields[0]!.value);
  return isWaived ? "waived" : undefined;
}

/** RFC 8689 §4.2.1: another of the domain's servers may do; if none does, the sender gets the mail back. */
export function lacksRequireTls({ server, offered }: Session): Answer | undefined {
  return offered.requireTls ? undefined : refusalOf(server, "it does not offer REQUIRETLS, which the sender asks for");
}

export const noVerifiedWay = (server: Target): Unreachable =>
  new Unreachable(refusalOf(server, "nothing proves that it takes the domain's mail, as REQUIRETLS asks"));

const refusalOf = ({ name, address }: Target, words: string): Answer => {
  return { kind: "failed", smtpReply: `550 5.7.30 ${name} [${address}]: ${words}`, remote: name };
};

/** RFC 8689 §4.2.1: a message that asks for verified TLS does not wait for it. */
export function withoutWaiting(error: Unreachable): Unreachable {
  const { smtpReply } = error.answer;
  if (!smtpReply.startsWith("451 4.7.5 ")) return error;
  return new Unreachable({ ...error.answer, kind: "failed", smtpReply: smtpReply.replace("451 4.7.5", "550 5.7.10") });
}
