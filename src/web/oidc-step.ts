import type { IncomingMessage } from "node:http";

/**
 * The cookie with the ticket of who comes from the identity provider and has to show a second factor yet. Only a page of this
 * server can send it on.
 */
const nameOf = (isEncrypted: boolean) => `${isEncrypted ? "__Host-" : ""}posthorn-oidc-step`;
const seconds = 600;

/** The value of Set-Cookie. Undefined: it is forgotten. */
export function writeStep(ticket: string | undefined, isEncrypted: boolean): string {
  const age = ticket === undefined ? 0 : seconds;
  const secure = isEncrypted ? " Secure;" : "";
  return `${nameOf(isEncrypted)}=${ticket ?? ""}; Path=/; Max-Age=${age}; HttpOnly;${secure} SameSite=Strict`;
}

export function readStep(req: IncomingMessage, isEncrypted: boolean): string | undefined {
  const begin = `${nameOf(isEncrypted)}=`;
  const pairs = (req.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const found = pairs.filter((pair) => pair.startsWith(begin));
  return found.length === 1 ? found[0]!.slice(begin.length) || undefined : undefined;
}
