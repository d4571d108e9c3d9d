import { isNativeRedirect } from "../../auth/redirects.ts";
import { parseScope, type Scope } from "../../auth/scopes.ts";
import { normalized } from "../../base/normalize.ts";
import { OauthError } from "./errors.ts";

/** What is kept of a registration. */
export interface Registration {
  redirectUris: string[];
  name: string;
  /** A page about the program; "" for none. */
  uri: string;
  /** What it may ask for. Empty: anything. */
  scopes: Scope[];
  softwareId: string;
}

const maxNameLength = 100;
const maxUris = 10;
/** These are of no use here, but the answer repeats them. */
const repeated = ["logo_uri", "tos_uri", "policy_uri", "software_version"] as const;

/**
 * RFC 7591 §2, as draft-ietf-mailmaint-oauth-public §3.3 narrows it: a native program without a secret. Throws OauthError.
 */
export function readRegistration(body: Record<string, unknown>): Registration {
  const { redirect_uris: uris } = body;
  if (!Array.isArray(uris) || uris.length === 0 || uris.length > maxUris || !uris.every(isNative)) {
    throw new OauthError(
      "invalid_redirect_uri",
      "redirect_uris must begin with http://127.0.0.1/, http://[::1]/ or a scheme with a dot such as com.example:/",
    );
  }
  is(body, "token_endpoint_auth_method", "none");
  has(body, "grant_types", "authorization_code");
  has(body, "grant_types", "refresh_token");
  has(body, "response_types", "code");
  for (const name of ["client_uri", "logo_uri", "tos_uri", "policy_uri"]) {
    if (!/^https:\/\/[^/]/.test(text(body, name) || "https://x")) throw invalid(`${name} must begin with https://`);
  }
  const name = plainName(text(body, "client_name"));
  if (name === "") throw invalid("client_name is missing");
  const wanted = text(body, "scope");
  const scopes = parseScope(wanted);
  if (wanted !== "" && scopes.length === 0) throw invalid("none of the scopes is known here");
  const softwareId = text(body, "software_id");
  return { redirectUris: uris as string[], name, uri: text(body, "client_uri"), scopes, softwareId };
}

/** RFC 7591 §3.2.1: what the program is told of its registration. */
export function registered(id: string, registration: Registration, body: Record<string, unknown>): object {
  const { redirectUris, name, uri, scopes, softwareId } = registration;
  return {
    client_id: id,
    redirect_uris: redirectUris,
    client_name: name,
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    ...(uri !== "" && { client_uri: uri }),
    ...(softwareId !== "" && { software_id: softwareId }),
    ...Object.fromEntries(repeated.filter((key) => body[key] !== undefined).map((key) => [key, body[key]])),
  };
}

const invalid = (description: string) => new OauthError("invalid_client_metadata", description);
const isNative = (uri: unknown) => typeof uri === "string" && isNativeRedirect(uri);

function text(body: Record<string, unknown>, name: string): string {
  const value = body[name] ?? "";
  if (typeof value !== "string" || value.length > 500 || !value.isWellFormed()) {
    throw invalid(`${name} must be a text of up to 500 characters`);
  }
  return value;
}

/** What is left out is as we want it. */
function is(body: Record<string, unknown>, name: string, only: string): void {
  if (body[name] !== undefined && body[name] !== only) throw invalid(`${name} must be ${only}`);
}

function has(body: Record<string, unknown>, name: string, wanted: string): void {
  const list = body[name];
  if (list !== undefined && !(Array.isArray(list) && list.includes(wanted))) {
    throw invalid(`${name} must contain ${wanted}`);
  }
}

/** In one line, without characters that are not seen or that turn the text around. */
function plainName(name: string): string {
  const plain = normalized(name, "NFC").replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  return [...plain.replace(/\s+/g, " ").trim()].slice(0, maxNameLength).join("");
}
