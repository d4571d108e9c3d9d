import type { IncomingMessage, ServerResponse } from "node:http";
import * as oidc from "openid-client";
import { Tickets } from "../auth/tickets.ts";
import { normalizeAddress, splitAddress } from "../base/address.ts";
import { findDomain } from "../store/directory/directory.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { findLogin } from "../store/directory/logins.ts";
import { secondFactorNeed } from "../store/directory/second-factors.ts";
import { strongWebSignIn, webSignIn } from "../store/directory/sign-ins.ts";
import type { Means } from "./means.ts";
import { readStep, writeStep } from "./oidc-step.ts";
import { allow, problem, Refusal } from "./respond.ts";
import { markOf, type WebTokens } from "./web-tokens.ts";

/** An identity provider, as the operator names it. */
export interface Provider {
  issuer: string;
  clientId: string;
  clientSecret: string;
}

export interface OidcOptions extends Pick<Means, "store" | "random" | "log" | "proxies" | "clock"> {
  /** Undefined if there is none. */
  provider: Provider | undefined;
  tokens: Pick<WebTokens, "add" | "cookieOf">;
  /** Values of `acr` that stand for a second factor which the provider has asked for. */
  strong: readonly string[];
  /** Makes an account for an address in a domain of this server; undefined if none are made. */
  createAccount?: ((address: string, name: string) => Promise<void>) | undefined;
}

/** How long somebody may be at the provider's pages, in seconds. */
const awaySeconds = 600;
const timeoutSeconds = 10;

const start = "/auth/oidc";
const callback = "/auth/oidc/callback";

/** What the browser keeps while it is at the provider's pages: answers that do not belong to it are refused. */
interface Pending {
  state: string;
  nonce: string;
  verifier: string;
  /** Where it goes afterwards. */
  to: string;
  /** Stay signed in when the browser closes. */
  stay: boolean;
}

/** Somebody is known at the provider, but may not come in. The page says why. */
class Stranger extends Error {
  readonly why: "unverified" | "unknown";

  constructor(why: "unverified" | "unknown") {
    super(why);
    this.why = why;
  }
}

/** Signing in to the inbox at an identity provider of the operator's own (OpenID Connect Core §3.1, with PKCE). */
export class Oidc {
  readonly #options: OidcOptions;
  readonly #tickets: Tickets;
  #configuration: Promise<oidc.Configuration> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
    this.#tickets = new Tickets({ database: options.store.database, clock: options.clock, site: "inbox" });
  }

  /** Answers a request for one of its paths; false for any other. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const url = URL.parse(req.url ?? "", "http://localhost");
    if (url?.pathname !== start && url?.pathname !== callback && url?.pathname !== `${start}/about`) return false;
    this.#answer(url, req, res).catch((error: unknown) => this.#fail(req, res, error));
    return true;
  }

  async #answer(url: URL, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { provider, store } = this.#options;
    allow(req, "GET");
    if (url.pathname === `${start}/about`) {
      const waits = readStep(req, this.#options.proxies.isEncrypted(req)) !== undefined;
      const body = JSON.stringify({ host: provider ? new URL(provider.issuer).host : null, waits });
      res.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(body);
      return;
    }
    if (!provider) throw new Refusal(404, "There is nothing at this path.");
    if (store.database.isReadOnly) throw new Refusal(503, "This server only reads: nobody can sign in now.");
    if (url.pathname === start) await this.#leave(url, req, res);
    else await this.#comeBack(url, req, res);
  }

  /** Sends the browser to the provider. */
  async #leave(url: URL, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const configuration = await this.#configured();
    const pending = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      to: ownPath(url.searchParams.get("to")),
      stay: url.searchParams.get("stay") === "1",
    };
    const { strong } = this.#options;
    const to = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#callbackUrl(req),
      scope: "openid email profile",
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
      ...(strong.length > 0 && { acr_values: strong.join(" ") }),
    });
    this.#go(res, to.href, [this.#keep(req, pending)]);
  }

  /** The provider has sent the browser back. */
  async #comeBack(url: URL, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { log, proxies } = this.#options;
    const forget = this.#keep(req, undefined);
    const pending = this.#kept(req);
    try {
      if (!pending) throw new Error("the browser did not begin here, or long ago");
      const configuration = await this.#configured();
      const answer = new URL(`${this.#callbackUrl(req)}${url.search}`);
      const tokens = await oidc.authorizationCodeGrant(configuration, answer, {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims()!;
      const owner = await this.#ownerOf(claims);
      const isStrong = typeof claims.acr === "string" && this.#options.strong.includes(claims.acr);
      const cookie = await this.#enter(req, owner, { isStrong, stay: pending.stay });
      log.info({ login: owner.login, remoteAddress: proxies.clientAddress(req) }, "signed in at the identity provider");
      this.#go(res, pending.to, [cookie, forget]);
    } catch (error) {
      const { message, cause } = error as Error;
      log.info(
        { reason: [message, (cause as Error | undefined)?.message].filter(Boolean).join(": ") },
        "sign-in at the identity provider refused",
      );
      this.#go(res, `/?oidc=${error instanceof Stranger ? error.why : "failed"}`, [forget]);
    }
  }

  /**
   * The cookie of a sign-in, or that of its second step: what the account needs beside its password it needs beside the provider's
   * word, too, unless the provider has asked for a second factor in a way that counts here.
   */
  async #enter(req: IncomingMessage, owner: LoginName, how: { isStrong: boolean; stay: boolean }): Promise<string> {
    const { store, proxies, tokens } = this.#options;
    const { isStrong, stay } = how;
    const opened = await store.write(owner.userId, "server", async (tx) => {
      if (!isStrong && (await secondFactorNeed(tx, owner))) return undefined;
      return tokens.add(tx, { req }, owner, stay, isStrong ? strongWebSignIn : webSignIn);
    });
    if (opened) return tokens.cookieOf(req, opened);
    const found = await findLogin(store.database, owner.login);
    if (found?.userId !== owner.userId) throw new Stranger("unknown");
    const ticket = await this.#tickets.issue("provider", { ...owner, mark: markOf(found.passwordHash), stay });
    return writeStep(ticket, proxies.isEncrypted(req));
  }

  /** The account whose main address the provider has verified. */
  async #ownerOf({ email, email_verified: isVerified, name }: oidc.IDToken): Promise<LoginName> {
    const { store, createAccount } = this.#options;
    const login = typeof email === "string" ? normalizeAddress(email) : undefined;
    // Anybody may claim an address that nobody has verified.
    if (login === undefined || isVerified !== true) throw new Stranger("unverified");
    const find = async () => (await findLogin(store.database, login))?.userId;
    let userId = await find();
    const domain = splitAddress(login)!.domain;
    if (userId === undefined && createAccount && (await findDomain(store.database, domain))) {
      await createAccount(login, typeof name === "string" ? name : "");
      userId = await find();
    }
    if (userId === undefined) throw new Stranger("unknown");
    return { login, userId };
  }

  /** Asked for when it is first needed, and again after a failure. */
  #configured(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options.provider!;
    const isPlain = issuer.startsWith("http://");
    this.#configuration ??= oidc
      .discovery(new URL(issuer), clientId, undefined, oidc.ClientSecretBasic(clientSecret), {
        timeout: timeoutSeconds,
        execute: isPlain ? [oidc.allowInsecureRequests] : [],
      })
      .then((configuration) => {
        // The signature counts too, not the connection alone that the token came by.
        oidc.enableNonRepudiationChecks(configuration);
        return configuration;
      })
      .catch((error: unknown) => {
        this.#configuration = undefined;
        throw error;
      });
    return this.#configuration;
  }

  #callbackUrl(req: IncomingMessage): string {
    return `${this.#options.proxies.baseUrl(req)}${callback}`;
  }

  /** `Lax`, since the browser comes back by a link of the provider's. Undefined: it is forgotten. */
  #keep(req: IncomingMessage, pending: Pending | undefined): string {
    const isEncrypted = this.#options.proxies.isEncrypted(req);
    const value = pending ? Buffer.from(JSON.stringify(pending)).toString("base64url") : "";
    const age = pending ? awaySeconds : 0;
    return `${cookieName(isEncrypted)}=${value}; Path=/; Max-Age=${age}; HttpOnly;${isEncrypted ? " Secure;" : ""} SameSite=Lax`;
  }

  #kept(req: IncomingMessage): Pending | undefined {
    const name = cookieName(this.#options.proxies.isEncrypted(req));
    const pairs = (req.headers.cookie ?? "").split(";").map((pair) => pair.trim());
    const found = pairs.filter((pair) => pair.startsWith(`${name}=`));
    if (found.length !== 1) return undefined;
    try {
      const said = JSON.parse(Buffer.from(found[0]!.slice(name.length + 1), "base64url").toString());
      const { state, nonce, verifier, to, stay } = said as Record<string, unknown>;
      if (![state, nonce, verifier].every((one) => typeof one === "string" && one.length >= 20)) return undefined;
      return { ...(said as Pending), to: ownPath(String(to)), stay: stay === true };
    } catch {
      return undefined;
    }
  }

  #go(res: ServerResponse, to: string, cookies: string[]): void {
    const headers = {
      Location: to,
      "Set-Cookie": cookies,
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
    };
    res.writeHead(303, headers).end();
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (error instanceof Refusal) {
      problem(req, res, error);
      return;
    }
    const reference = this.#options.random(6).toString("hex");
    this.#options.log.error({ reference, err: error }, "the identity provider cannot be asked");
    problem(
      req,
      res,
      new Refusal(503, `The identity provider does not answer: try again later, reference ${reference}.`),
    );
  }
}

const cookieName = (isEncrypted: boolean) => `${isEncrypted ? "__Host-" : ""}posthorn-oidc`;

/** The pages that somebody may have signed in for: the inbox, and the question of a program. Never another server. */
function ownPath(to: string | null): string {
  return to !== null && /^\/oauth\/authorize\?[\w.~%&=+:/?-]{1,4000}$/.test(to) ? to : "/";
}
