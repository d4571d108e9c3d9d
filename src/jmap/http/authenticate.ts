import type { IncomingMessage } from "node:http";
import type { AccountAccess, Login } from "../../auth/login.ts";
import { decodeId, idPrefix } from "../../base/ids.ts";
import { RequestError, SecondFactorWanted, Unauthenticated } from "../errors.ts";
import type { HttpDeps } from "./deps.ts";
import { throttled } from "./refusals.ts";

/** Throws a RequestError of status 401 or 429. `clientAddress`: undefined when it cannot be known. */
export async function authenticate(
  req: IncomingMessage,
  clientAddress: string | undefined,
  { authenticator, web }: Pick<HttpDeps, "authenticator" | "web">,
): Promise<Login> {
  const credentials = web ? web.credentials(req) : headerOf(req);
  const login = await authenticator.authenticate(credentials, clientAddress);
  if (login === "throttled") throw throttled();
  if (login === "secondFactor") throw new SecondFactorWanted();
  if (!login) throw new Unauthenticated("Basic or Bearer credentials are required.", web?.resourceMetadata?.(req));
  return login;
}

/** The credentials of a client that is no browser. */
export const headerOf = (req: IncomingMessage): string | undefined => req.headers.authorization;

export const noSuchAccount = () => new RequestError("about:blank", 404, "There is no such account.");

/** The account that a URL names. Throws 404 if the login may not open it. */
export function openAccount(login: Login, wireId: string): AccountAccess {
  const id = decodeId(idPrefix.account, wireId);
  const account = login.accounts.find((candidate) => candidate.id === id);
  if (!account) throw noSuchAccount();
  return account;
}
