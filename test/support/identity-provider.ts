import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterwards } from "./afterwards.ts";

type Claims = Record<string, unknown>;

interface Code {
  clientId: string;
  redirectUri: string;
  challenge: string;
  nonce: string;
}

/** What is wrong with the next answers. */
export interface Spoiled {
  claims?: Claims;
  alg?: "none" | "HS256";
  /** Signs with a key that is not published. */
  isForged?: boolean;
  /** The `iss` of the redirect (RFC 9207). */
  iss?: string;
}

/** An identity provider (OpenID Connect) on loopback, which knows one user and asks them nothing. */
export async function createIdentityProvider(client: { id: string; secret: string }) {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const others = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const codes = new Map<string, Code>();
  const provider = { issuer: "", user: {} as Claims, spoiled: {} as Spoiled, codesAsked: 0 };

  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  function idToken(nonce: string): string {
    const { claims, alg = "RS256", isForged } = provider.spoiled;
    const now = Math.floor(Date.now() / 1000);
    const body = { iss: provider.issuer, aud: client.id, iat: now, exp: now + 300, nonce, ...provider.user, ...claims };
    const said = `${encode({ alg, kid: "k", typ: "JWT" })}.${encode(body)}`;
    if (alg === "none") return `${said}.`;
    if (alg === "HS256") return `${said}.${createHash("sha256").update(said).digest("base64url")}`;
    return `${said}.${sign("sha256", Buffer.from(said), (isForged ? others : keys).privateKey).toString("base64url")}`;
  }

  async function tokens(req: IncomingMessage): Promise<[number, object]> {
    const form = new URLSearchParams(await text(req));
    const basic = Buffer.from(req.headers.authorization?.replace(/^Basic /, "") ?? "", "base64").toString();
    // RFC 6749 §2.3.1: each half is encoded as in a form.
    const [id, secret] = basic.split(":").map((half) => decodeURIComponent(half.replaceAll("+", " ")));
    if (id !== client.id || secret !== client.secret) return [401, { error: "invalid_client" }];
    const code = codes.get(form.get("code")!);
    // Once.
    codes.delete(form.get("code")!);
    provider.codesAsked++;
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight = code?.challenge === challenge && code.redirectUri === form.get("redirect_uri");
    if (!code || !isRight) return [400, { error: "invalid_grant" }];
    const access = randomBytes(8).toString("hex");
    return [200, { access_token: access, token_type: "Bearer", expires_in: 300, id_token: idToken(code.nonce) }];
  }

  const server = createServer(async (req, res) => {
    const url = new URL(req.url!, provider.issuer);
    const json = (status: number, body: object) =>
      res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/.well-known/openid-configuration") {
      json(200, {
        issuer: provider.issuer,
        authorization_endpoint: `${provider.issuer}/authorize`,
        token_endpoint: `${provider.issuer}/token`,
        jwks_uri: `${provider.issuer}/keys`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
      });
    } else if (url.pathname === "/keys") {
      json(200, { keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k", alg: "RS256", use: "sig" }] });
    } else if (url.pathname === "/authorize") {
      const get = (name: string) => url.searchParams.get(name) ?? "";
      const code = randomBytes(16).toString("hex");
      const asked = { clientId: get("client_id"), redirectUri: get("redirect_uri"), nonce: get("nonce") };
      codes.set(code, { ...asked, challenge: get("code_challenge") });
      const iss = provider.spoiled.iss ?? provider.issuer;
      const answer = new URLSearchParams({ code, state: get("state"), iss });
      res.writeHead(303, { Location: `${get("redirect_uri")}?${answer}` }).end();
    } else if (url.pathname === "/token") json(...(await tokens(req)));
    else res.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  provider.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  afterwards(async () => void server.close());
  return provider;
}
