import { isAscii } from "node:buffer";
import type { SMTPServerAddress } from "smtp-server";
import { Refusal } from "./reply.ts";

/** What our EHLO offers. */
const parameters = { mail: new Set(["SIZE", "BODY", "SMTPUTF8"]), rcpt: new Set<string>() };

/** RFC 5321 §4.1.1.11, RFC 6531 §3.5: the address and parameters of MAIL or RCPT. Throws Refusal. */
export function checkPath(command: "mail" | "rcpt", { address, args }: SMTPServerAddress, isUtf8: boolean): void {
  const unknown = Object.keys(args || {}).find((name) => !parameters[command].has(name));
  if (unknown !== undefined) throw new Refusal(555, `5.5.4 the parameter ${unknown.slice(0, 40)} is not known here`);
  if (address.includes("\ufffd")) throw new Refusal(553, "5.6.7 the address is not UTF-8");
  if (!isUtf8 && !isAscii(Buffer.from(address))) {
    throw new Refusal(553, "5.6.7 an address that is not ASCII needs SMTPUTF8");
  }
}
