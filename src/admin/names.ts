import { normalized } from "../base/normalize.ts";
import { normalizeAddress } from "../store/directory/directory.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findLogin } from "../store/directory/logins.ts";
import type { Admin } from "./admin.ts";
import { Refused } from "./refused.ts";

/** The text as an address in normal form. */
export function addressOf(text: string): string {
  const address = normalizeAddress(text);
  // More is legal in quotes, but typed without them it is a slip.
  const isPlain = /^("[^@]*"|[^\s"(),:;<>[\]\\@]+)@[^@]+$/.test(text.trim());
  if (address === undefined || !isPlain || !text.isWellFormed()) throw new Refused({ type: "notAnAddress", text });
  return address;
}

/** The login of an account's main address. */
export async function loginOf({ store }: Pick<Admin, "store">, text: string): Promise<LoginName> {
  const login = addressOf(text);
  const found = await findLogin(store.database, login);
  if (!found) throw new Refused({ type: "noAccount", login });
  return { login, userId: found.userId };
}

const longest = 200;

/** What an account may be called: it stands in header fields. */
export function nameOf(text: string): string {
  const name = normalized(text.trim(), "NFC");
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) throw new Refused({ type: "controlCharacters" });
  if (name.length > longest) throw new Refused({ type: "nameTooLong", limit: longest });
  return name;
}
