import type { IncomingMessage, ServerResponse } from "node:http";
import { Tickets } from "../auth/tickets.ts";
import { Factors } from "./factors.ts";
import { Join } from "./join.ts";
import type { Handler, Means } from "./means.ts";
import { isOwnPage } from "./own-page.ts";
import { Proofs } from "./proofs.ts";
import { Recovery } from "./recovery.ts";
import { allow, problem, Refusal, readJson } from "./respond.ts";
import { SignIn } from "./sign-in.ts";
import { WebTokens } from "./web-tokens.ts";

/**
 * Signs people in with a browser: a cookie that scripts cannot read stands for an ordinary token, so that downloads, pictures
 * and the WebSocket, which carry no headers of a page's choice, are authenticated too.
 */
export class WebSessions {
  readonly #means: Means;
  readonly #tokens: WebTokens;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(means: Means) {
    this.#means = means;
    this.#tokens = new WebTokens(means);
    this.#handlers = handlersOf(means, this.#tokens);
  }

  /**
   * The value of the Authorization header, which always goes first, or what stands for it: the cookie, if one of our own pages
   * asks.
   */
  credentials(req: IncomingMessage): string | undefined {
    const { authorization } = req.headers;
    if (authorization !== undefined || req.headers.cookie === undefined) return authorization;
    const token = this.#tokens.cookie(req);
    return token === undefined || !this.#isOwnPage(req) ? undefined : `Bearer ${token}`;
  }

  /** Answers a request below /auth/; returns false for any other. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const path = (req.url ?? "").replace(/[?#].*$/, "");
    if (!path.startsWith("/auth/")) return false;
    this.#answer(path, req, res).catch((error: unknown) => this.#fail(req, res, error));
    return true;
  }

  async #answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const handler = this.#handlers.get(path);
    if (!handler && path !== "/auth/logout") throw new Refusal(404, "There is nothing at this path.");
    allow(req, "POST");
    // Or any page could sign its visitor in as somebody else, and read what is then written.
    if (!this.#isOwnPage(req)) throw new Refusal(403, "Only this server's own pages may sign in and out.");
    if (handler) {
      if (this.#means.store.database.isReadOnly) {
        throw new Refusal(503, "This server only reads: nobody can sign in now.");
      }
      const body = await readJson(req);
      return handler({ req, res, body, address: this.#means.proxies.clientAddress(req) });
    }
    await this.#tokens.end(req);
    this.#tokens.signOut(req, res);
  }

  #isOwnPage(req: IncomingMessage): boolean {
    return isOwnPage(req, this.#means.proxies.baseUrl(req));
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (error instanceof Refusal) {
      problem(req, res, error);
      return;
    }
    const reference = this.#means.random(6).toString("hex");
    this.#means.log.error({ reference, err: error }, "signing in or out failed");
    problem(req, res, new Refusal(503, `Try again later, reference ${reference}.`));
  }
}

/** All that a page may ask below /auth/ but to sign out, which needs no body. Each is a POST of JSON. */
function handlersOf(means: Means, tokens: WebTokens): ReadonlyMap<string, Handler> {
  const shared = {
    tickets: new Tickets({ database: means.store.database, clock: means.clock, site: means.site }),
    tokens,
    proofs: new Proofs(means),
  };
  const signIn = new SignIn(means, shared);
  const factors = new Factors(means, shared);
  const recovery = new Recovery(means);
  const join = means.joining && new Join(means, means.joining, signIn);
  const ofGuests: [string, Handler][] = join
    ? [
        ["/auth/offers", (asked) => join.offers(asked)],
        ["/auth/invitation", (asked) => join.invitation(asked)],
        ["/auth/join", (asked) => join.join(asked)],
      ]
    : [];
  const ofProvider: [string, Handler][] =
    means.site === "inbox" ? [["/auth/oidc/step", (asked) => signIn.afterProvider(asked)]] : [];
  return new Map<string, Handler>([
    ...ofGuests,
    ["/auth/login", (asked) => signIn.begin(asked)],
    ...ofProvider,
    ["/auth/second-factor", (asked) => signIn.prove(asked)],
    ["/auth/passkey/begin", (asked) => signIn.offerPasskey(asked)],
    ["/auth/passkey", (asked) => signIn.takePasskey(asked)],
    ["/auth/factors/totp/begin", (asked) => factors.beginTotp(asked)],
    ["/auth/factors/totp", (asked) => factors.addTotp(asked)],
    ["/auth/factors/passkey/begin", (asked) => factors.beginPasskey(asked)],
    ["/auth/factors/passkey", (asked) => factors.addPasskey(asked)],
    ["/auth/factors/remove", (asked) => factors.remove(asked)],
    ["/auth/recovery-codes", (asked) => factors.renewRecoveryCodes(asked)],
    ["/auth/recover", (asked) => recovery.recover(asked)],
  ]);
}
