import { isRegistered, withParameters } from "../../auth/redirects.ts";
import { parseScope, type Scope } from "../../auth/scopes.ts";
import { Refusal } from "../respond.ts";
import type { Client, Clients } from "./clients.ts";
import { OauthError } from "./errors.ts";
import { isOwnResource } from "./metadata.ts";

/** What a program asks somebody for. */
export interface Authorization {
  client: Client;
  redirectUri: string;
  state: string | undefined;
  scopes: Scope[];
  /** RFC 7636 §4.2, by S256. */
  challenge: string;
}

/** The request is wrong, and its program is to be told, by way of the browser. */
export class WrongRequest extends Error {
  readonly to: string;

  constructor(to: string) {
    super("the program asked for what it cannot have");
    this.to = to;
  }
}

interface Means {
  clients: Clients;
  issuer: string;
  /** Our name in SMTP. */
  hostname: string;
}

const maxQueryLength = 8_000;

/**
 * RFC 6749 §4.1.1. Throws a Refusal when the program or where its answer goes is not certain, since the browser must then be sent
 * nowhere (RFC 9700 §4.11); otherwise WrongRequest.
 */
export async function readAuthorization(query: string, { clients, issuer, hostname }: Means): Promise<Authorization> {
  if (query.length > maxQueryLength) throw new Refusal(400, "The request is too long.");
  const given = new URLSearchParams(query);
  const clientId = once(given, "client_id");
  const client = clientId === undefined ? undefined : await clients.find(clientId);
  if (!client) throw new Refusal(400, "The program is not known here.");
  const redirectUri = once(given, "redirect_uri");
  if (redirectUri === undefined || !isRegistered(client.redirectUris, redirectUri)) {
    throw new Refusal(400, "The program has not registered where the answer is to go.");
  }
  const states = given.getAll("state");
  const state = states.length === 1 ? states[0] : undefined;
  try {
    if (states.length > 1) throw new OauthError("invalid_request", "state is there twice");
    return { client, redirectUri, state, ...check(given, client, (uri) => isOwnResource(uri, issuer, hostname)) };
  } catch (error) {
    if (!(error instanceof OauthError)) throw error;
    throw new WrongRequest(answerOf({ redirectUri, state }, issuer, error));
  }
}

function check(given: URLSearchParams, client: Client, isOwn: (resource: string) => boolean) {
  const get = (name: string) => {
    if (given.getAll(name).length > 1) throw new OauthError("invalid_request", `${name} is there twice`);
    return given.get(name);
  };
  if (get("request") !== null || get("request_uri") !== null) {
    throw new OauthError("request_not_supported", "send the parameters themselves");
  }
  if (get("response_type") !== "code") throw new OauthError("unsupported_response_type", "response_type must be code");
  if ((get("response_mode") ?? "query") !== "query") {
    throw new OauthError("invalid_request", "response_mode must be query");
  }
  const challenge = get("code_challenge") ?? "";
  if (get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(challenge)) {
    throw new OauthError("invalid_request", "a code_challenge is needed, by the method S256");
  }
  if (!given.getAll("resource").every(isOwn)) {
    throw new OauthError("invalid_target", "the resource is none of this server");
  }
  const scopes = parseScope(get("scope") ?? "").filter((scope) => client.scopes.includes(scope));
  if (scopes.length === 0) throw new OauthError("invalid_scope", "none of the scopes is one that the program may have");
  return { scopes, challenge };
}

/** RFC 6749 §4.1.2, RFC 9207: where the browser goes next. */
export function answerOf(
  { redirectUri, state }: Pick<Authorization, "redirectUri" | "state">,
  issuer: string,
  answer: { code: string } | OauthError,
): string {
  const said =
    answer instanceof OauthError ? { error: answer.code, error_description: answer.message } : { code: answer.code };
  return withParameters(redirectUri, { ...said, state, iss: issuer });
}

/** RFC 6749 §3.1: a parameter that is there twice counts as missing. */
function once(given: URLSearchParams, name: string): string | undefined {
  const values = given.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}
