import type { IncomingMessage } from "node:http";

/** Which page a cookie is for. Cookies do not tell ports apart, so each page has a name of its own. */
export type Site = "inbox" | "operator";
const names: Record<Site, string> = { inbox: "posthorn", operator: "posthorn-operator" };

/** `__Host-` makes the browser refuse a cookie of that name that another host or an unencrypted page sets. */
const nameOf = (site: Site, isEncrypted: boolean) => `${isEncrypted ? "__Host-" : ""}${names[site]}`;

/**
 * The token in the cookie; undefined if there is none, or more than one: then another page of the domain set one of them. What
 * came encrypted is only looked for under the name that only encrypted pages can set.
 */
export function readCookie(req: IncomingMessage, site: Site, isEncrypted: boolean): string | undefined {
  const name = nameOf(site, isEncrypted);
  const pairs = (req.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const found = pairs.filter((pair) => pair.startsWith(`${name}=`));
  if (found.length !== 1) return undefined;
  const value = found[0]!.slice(name.length + 1);
  return /^[\w.-]{1,200}$/.test(value) ? value : undefined;
}

/** The value of Set-Cookie. Without `maxAgeMs` the cookie ends with the browser. */
export function writeCookie(
  token: string,
  { site, isEncrypted }: { site: Site; isEncrypted: boolean },
  maxAgeMs?: number,
): string {
  const age = maxAgeMs === undefined ? "" : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  return `${nameOf(site, isEncrypted)}=${token}; Path=/${age}; HttpOnly;${isEncrypted ? " Secure;" : ""} SameSite=Strict`;
}
