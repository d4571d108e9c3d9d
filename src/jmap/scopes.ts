import type { Login } from "../auth/login.ts";
import { allows, type Scope, scopes } from "../auth/scopes.ts";
import { capabilities } from "./capability-names.ts";
import { MethodError, RequestError } from "./errors.ts";
import type { Method } from "./method.ts";

/** The scopes that a token needs for a capability, all of them. One that is not here needs the scope for all mail. */
const needed: Record<string, readonly Scope[]> = {
  [capabilities.core]: [],
  [capabilities.websocket]: [],
  [capabilities.webPushVapid]: [scopes.mail],
  [capabilities.mail]: [scopes.mail],
  [capabilities.blob]: [scopes.mail],
  [capabilities.quota]: [scopes.mail],
  [capabilities.scan]: [scopes.mail],
  [capabilities.undelete]: [scopes.mail],
  [capabilities.authentication]: [scopes.mail],
  // It sends mail that is there, to whomever the envelope names, so it could be used to read.
  [capabilities.submission]: [scopes.mail, scopes.submission],
  [capabilities.mdn]: [scopes.mail, scopes.submission],
  [capabilities.suppression]: [scopes.mail, scopes.submission],
  [capabilities.vacation]: [scopes.vacation],
};

/** Methods of the core that tell of mail, or move it. */
const ofMail = new Set(["Blob/copy", "PushSubscription/get", "PushSubscription/set"]);

/** Whether the credential may use the capability. What the login signs in with is no program's concern. */
export function mayUse({ scopes: granted }: Login, capability: string): boolean {
  if (granted === undefined) return true;
  return capability !== capabilities.account && allows(granted, ...(needed[capability] ?? [scopes.all]));
}

/** Throws forbidden if the credential's scopes do not allow the call. */
export function checkScope(login: Login, { name, capability }: Pick<Method, "name" | "capability">): void {
  if (mayUse(login, capability) && (!ofMail.has(name) || mayUse(login, capabilities.mail))) return;
  throw new MethodError("forbidden", `the token's scope does not allow ${name}`);
}

/** RFC 6750 §3.1: throws a RequestError of status 403 if the credential's scopes do not allow to read mail. */
export function needMail(login: Login): void {
  if (mayUse(login, capabilities.mail)) return;
  throw new RequestError("about:blank", 403, "The token's scope does not allow this.");
}
