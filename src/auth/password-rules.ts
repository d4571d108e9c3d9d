import { normalized } from "../base/normalize.ts";

export const minPasswordLength = 8;
/** No longer one is accepted at signing in. */
export const maxPasswordLength = 1000;

/** Of at least eight characters, those that are tried first everywhere: in lower case, without what is at their end. */
const common = new Set(
  `password passwort passw0rd p4ssword p@ssword p@ssw0rd pa$$word mypassword newpassword changeme letmein welcome
  iloveyou ilovegod sunshine princess football baseball basketball superman batman starwars trustno pokemon whatever
  computer internet corvette mercedes michelle jennifer danielle jonathan alexander nicholas benjamin samantha
  elizabeth charlie victoria jessica butterfly chocolate swordfish blink midnight cheese liverpool arsenal chelsea
  qwertyuiop qwertyui qwerty qwertzuiop qwertzui qwertz asdfghjkl asdfghjk asdfasdf azertyuiop zxcvbnm yxcvbnm
  qazwsx qazwsxedc zaqwsx administrator admin adminadmin root rootroot default testtest test guest secret
  abcdefgh abcdefghi abcdef abc access dragon monkey master shadow killer hunter soccer mustang google facebook
  einstein schatz hallo hallohallo geheim sommer winter frühling herbst ichliebedich schalke fussball lol
  correcthorsebatterystaple posthorn`.split(/\s+/),
);

/** Why a password may not be chosen. */
export type PasswordFault = "short" | "long" | "common" | "address";

/** Length says most (NIST SP 800-63B §3.1.1.2): no rules about kinds of characters, but none that is tried first. */
export function passwordFault(password: string, login: string): PasswordFault | undefined {
  const text = normalized(password, "NFC").toLowerCase();
  const length = [...text].length;
  if (length < minPasswordLength) return "short";
  if (password.length > maxPasswordLength) return "long";
  const local = login.replace(/@.*/, "");
  if ([login, local].includes(trimmed(text)) || text === login) return "address";
  return isCommon(text) ? "common" : undefined;
}

function isCommon(text: string): boolean {
  return common.has(text) || common.has(trimmed(text)) || isRun(text) || isRepeated(text);
}

/** Without the digits and signs that people put at the end, or begin with. */
const trimmed = (text: string) => text.replace(/^[\d\W_]+|[\d\W_]+$/gu, "");

/** Characters that follow each other, up or down, such as 12345678. */
function isRun(text: string): boolean {
  const codes = [...text].map((char) => char.codePointAt(0)!);
  const steps = codes.slice(1).map((code, at) => (code - codes[at]! + 10) % 10);
  const isDigits = /^\d+$/.test(text);
  const plain = codes.slice(1).map((code, at) => code - codes[at]!);
  const isEven = (list: number[]) => [1, -1, 9].some((by) => list.every((step) => step === by));
  return isEven(plain) || (isDigits && isEven(steps));
}

/** A few characters again and again, such as aaaaaaaa, 12121212 and abcabcabc. */
const isRepeated = (text: string) => /^(.{1,4}?)\1+.{0,3}$/u.test(text) && new Set(text).size <= 4;
