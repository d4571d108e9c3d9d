import { parameterOf } from "../../mail/submit/submit-parameters.ts";
import { isAsciiText } from "../../mime/ascii-address.ts";

type Parameters = Record<string, string | null> | null;

/** RFC 3461 §4.3, §4.4: the parameters of MAIL. */
export function mailParameters(given: Parameters): string[] {
  const [ret, id] = [parameterOf(given, "RET"), parameterOf(given, "ENVID")];
  return [...(ret ? [`RET=${ret.toUpperCase()}`] : []), ...(id ? [`ENVID=${xtext(id)}`] : [])];
}

/** RFC 3461 §4.1, §4.2: the parameters of RCPT. */
export function rcptParameters(given: Parameters): string[] {
  const [notify, original] = [parameterOf(given, "NOTIFY"), parameterOf(given, "ORCPT")];
  return [
    ...(notify ? [`NOTIFY=${notify.toUpperCase()}`] : []),
    ...(original ? [`ORCPT=${originalRecipient(original)}`] : []),
  ];
}

/** RFC 3461 §4 */
const xtext = (text: string): string => text.replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x7e]/g, (char) => `+${hex(char)}`);

const hex = (char: string): string => char.codePointAt(0)!.toString(16).toUpperCase().padStart(2, "0");

/** RFC 6533 §3: an address that is not ASCII, in the form that every server accepts. */
function originalRecipient(text: string): string {
  const at = text.indexOf(";");
  const [type, address] = [text.slice(0, at), text.slice(at + 1)];
  if (isAsciiText(address)) return `${type};${xtext(address)}`;
  return `utf-8;${address.replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]/gu, (char) => `\\x{${hex(char)}}`)}`;
}
