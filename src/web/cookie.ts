import type { IncomingMessage } from "node:http";

/** `__Host-` makes the browser refuse a cookie of that name that another host or an unencrypted page sets. */
const nameOf = (isEncrypted: boolean) => (isEncrypted ? "__Host-posthorn" : "posthorn");

/**
 * The token in the cookie; undefined if there is none, or more than one: then another page of the domain set one of them. What
 * came encrypted is only looked for under the name that only encrypted pages can set.
 */
export function readCookie(req: IncomingMessage, isEncrypted: boolean): string | undefined {
  const name = nameOf(isEncrypted);
  const pairs = (req.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const found = pairs.filter((pair) => pair.startsWith(`${name}=`));
  if (found.length !== 1) return undefined;
  const value = found[0]!.slice(name.length + 1);
  return /^[\w.-]{1,200}$/.test(value) ? value : undefined;
}

/** The value of Set-Cookie. Without `maxAgeMs` the cookie ends with the browser. */
export function writeCookie(token: string, isEncrypted: boolean, maxAgeMs?: number): string {
  const age = maxAgeMs === undefined ? "" : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  return `${nameOf(isEncrypted)}=${token}; Path=/${age}; HttpOnly;${isEncrypted ? " Secure;" : ""} SameSite=Strict`;
}
