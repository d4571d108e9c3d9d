import { allScopes } from "../../auth/scopes.ts";

export const paths = {
  authorize: "/oauth/authorize",
  token: "/oauth/token",
  revoke: "/oauth/revoke",
  register: "/oauth/register",
  server: "/.well-known/oauth-authorization-server",
  resource: "/.well-known/oauth-protected-resource",
} as const;

/** RFC 8414 §2. `issuer`: the server's URL as its clients see it. */
export function serverMetadata(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}${paths.authorize}`,
    token_endpoint: `${issuer}${paths.token}`,
    registration_endpoint: `${issuer}${paths.register}`,
    revocation_endpoint: `${issuer}${paths.revoke}`,
    scopes_supported: allScopes,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint_auth_methods_supported: ["none"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}

/** RFC 9728 §2. `path`: of the resource, as it was asked for. */
export function resourceMetadata(issuer: string, path: string): object {
  return {
    resource: `${issuer}${path}`,
    authorization_servers: [issuer],
    scopes_supported: allScopes,
    bearer_methods_supported: ["header"],
    resource_name: "Posthorn",
  };
}

/** A resource that tokens are for: the path of an endpoint, or "" for the server. */
export function isResource(path: string): boolean {
  return /^(\/?|\/\.well-known\/jmap|\/jmap\/[\w./-]{1,300})$/.test(path);
}

/**
 * RFC 8707 §2: whether a token may be sent there. It may name an endpoint here, the server itself, or, for SMTP, a name of this
 * host.
 */
export function isOwnResource(resource: string, issuer: string, hostname: string): boolean {
  const own = URL.parse(issuer);
  const hosts = [own?.hostname, hostname.toLowerCase()];
  if (hosts.includes(resource.toLowerCase())) return true;
  const url = URL.parse(resource);
  if (url?.hash !== "" || url.username !== "" || url.password !== "") return false;
  if (["http:", "https:"].includes(url.protocol)) return url.origin === own?.origin && isResource(url.pathname);
  const isMail = ["smtp:", "smtps:", "submission:", "submissions:"].includes(url.protocol);
  return isMail && hosts.includes(url.hostname.toLowerCase());
}

/** draft-ietf-mailmaint-oauth-public §3.2: over TLS alone, but for a server that is tried out on its own machine. */
export function isSafe(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === "https:" || ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
}
