import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { newCredentialId, newToken } from "../../src/auth/secrets.ts";
import type { Store } from "../../src/store/core/store.ts";
import type { LoginName } from "../../src/store/directory/login-name.ts";
import { addGrant, renewGrant } from "../../src/store/directory/oauth-grants.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body, if it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests look at.
  json: Record<string, any>;
}

export interface Asking {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string> | [string, string][];
  body?: object;
}

export const mailScope = "urn:ietf:params:oauth:scope:mail";
export const ownPage = { "sec-fetch-site": "same-origin" };
export const native = "http://127.0.0.1/callback";
/** What a program on a device would use: a port that the system gave it. */
export const redirect = "http://127.0.0.1:49152/callback";

/** A program, and the browser of somebody with an account, as far as they talk to the server. */
export function createOauthTalk(port: number, issuer = `http://127.0.0.1:${port}`) {
  const host = new URL(issuer).host;

  async function ask(path: string, { method, headers = {}, form, body }: Asking = {}): Promise<Answer> {
    const sent = form ? new URLSearchParams(form).toString() : body && JSON.stringify(body);
    const type = form ? "application/x-www-form-urlencoded" : "application/json";
    const all = { host, ...(sent !== undefined && { "content-type": type }), ...headers };
    const wanted = method ?? (sent === undefined ? "GET" : "POST");
    const asked = request({ port, host: "127.0.0.1", path, method: wanted, headers: all });
    asked.end(sent);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isJson = /json/.test(answer.headers["content-type"] ?? "");
    return { status: answer.statusCode!, headers: answer.headers, text, json: isJson ? JSON.parse(text) : {} };
  }

  async function register(more: object = {}): Promise<string> {
    const body = { redirect_uris: [native], client_name: "Ltt.rs", token_endpoint_auth_method: "none", ...more };
    const answer = await ask("/oauth/register", { body });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json.client_id;
  }

  /** Signs in at the pages. Returns the header fields of a request of such a page. */
  async function signIn(username: string, password: string): Promise<Record<string, string>> {
    const answer = await ask("/auth/login", { headers: ownPage, body: { username, password } });
    if (answer.status !== 204) throw new Error(answer.text);
    return { ...ownPage, cookie: answer.headers["set-cookie"]![0]!.split(";")[0]! };
  }

  function newAsk(clientId: string, more: Record<string, string | undefined> = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const parameters = {
      client_id: clientId,
      redirect_uri: redirect,
      response_type: "code",
      scope: mailScope,
      state: randomBytes(8).toString("hex"),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...more,
    };
    const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return { verifier, query: new URLSearchParams(given).toString(), parameters };
  }

  /** What our page sends when somebody presses a button. */
  const decide = (page: Record<string, string>, query: string, allow = true) =>
    ask("/oauth/answer", { headers: page, body: { query, allow } });

  async function codeOf(page: Record<string, string>, query: string): Promise<string> {
    const { json, text } = await decide(page, query);
    const code = URL.parse(json.to ?? "")?.searchParams.get("code");
    if (!code) throw new Error(`no code: ${text}`);
    return code;
  }

  const redeem = (clientId: string, code: string, verifier: string, more: Record<string, string> = {}) =>
    ask("/oauth/token", {
      form: {
        grant_type: "authorization_code",
        client_id: clientId,
        code,
        redirect_uri: redirect,
        code_verifier: verifier,
        ...more,
      },
    });

  const refresh = (clientId: string, token: string, more: Record<string, string> = {}) =>
    ask("/oauth/token", {
      form: { grant_type: "refresh_token", client_id: clientId, refresh_token: token, ...more },
    });

  /** All of it. Returns what the token endpoint answers. */
  async function obtain(page: Record<string, string>, clientId: string, scope = mailScope) {
    const { query, verifier } = newAsk(clientId, { scope });
    const { json, text } = await redeem(clientId, await codeOf(page, query), verifier);
    if (!json.access_token) throw new Error(text);
    return json as { access_token: string; refresh_token: string; scope: string; expires_in: number };
  }

  return { issuer, ask, register, signIn, newAsk, decide, codeOf, redeem, refresh, obtain };
}

/** An access token with this scope, as if somebody had allowed a program to do so much. */
export async function grantToken(
  store: Store,
  owner: LoginName,
  scope: string,
): Promise<{ secret: string; id: string }> {
  const { login, userId } = owner;
  const id = newCredentialId(randomBytes);
  const { secret, hash, id: tokenId } = newToken(randomBytes, userId);
  const hashes = { codeHash: randomBytes(32), familyHash: randomBytes(32), refreshHash: randomBytes(32) };
  await store.write(userId, "server", async (tx) => {
    const at = { createdAt: tx.now, codeExpiresAt: tx.now, usedAt: tx.now, network: null };
    const program = { clientId: "x", name: "x", isVerified: false, redirectUri: native, challenge: "x" };
    await addGrant(tx, { userId, id, login, scope, ...program, ...hashes, ...at });
    const expiresAt = new Date(tx.now.getTime() + 3_600_000);
    const token = {
      userId,
      hash,
      id: tokenId,
      login,
      label: "oauth",
      createdAt: tx.now,
      expiresAt,
      grantId: id,
      scope,
    };
    await renewGrant(tx, { userId, id, ...hashes, ...at }, token);
  });
  return { secret, id };
}
