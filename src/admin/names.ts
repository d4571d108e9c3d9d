import { normalizeAddress } from "../base/address.ts";
import { normalized } from "../base/normalize.ts";
import { maxLabelLength } from "../mail/masked/create.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findLogin } from "../store/directory/logins.ts";
import type { Admin } from "./admin.ts";
import { Refused } from "./refused.ts";

/** Normalizes an address. */
export function addressOf(text: string): string {
  const address = normalizeAddress(text);
  // Special characters are legal inside quotes; without quotes they are a typing mistake.
  const isPlain = /^("[^@]*"|[^\s"(),:;<>[\]\\@]+)@[^@]+$/.test(text.trim());
  if (address === undefined || !isPlain || !text.isWellFormed()) throw new Refused({ type: "notAnAddress", text });
  return address;
}

/** Finds the login of an account by its main address. */
export async function loginOf({ store }: Pick<Admin, "store">, text: string): Promise<LoginName> {
  const login = addressOf(text);
  const found = await findLogin(store.database, login);
  if (!found) throw new Refused({ type: "noAccount", login });
  return { login, userId: found.userId };
}

const maxNameLength = 200;

/** Normalizes a display name, which goes into header fields. */
export function nameOf(text: string): string {
  return wordsOf(text, maxNameLength);
}

/** Normalizes the label of a masked address. */
export function labelOf(text: string): string {
  return wordsOf(text, maxLabelLength);
}

function wordsOf(text: string, limit: number): string {
  const words = normalized(text.trim(), "NFC");
  if (/\p{Cc}/u.test(words) || !words.isWellFormed()) throw new Refused({ type: "controlCharacters" });
  if (words.length > limit) throw new Refused({ type: "nameTooLong", limit });
  return words;
}
