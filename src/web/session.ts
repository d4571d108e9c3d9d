import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator, Login } from "../auth/login.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Bus } from "../push/bus.ts";
import type { Store } from "../store/core/store.ts";
import { currentPasswordHash, removeCredentials } from "../store/directory/sign-ins.ts";
import { addBrowserToken } from "./browser-token.ts";
import { readCookie, type Site, writeCookie } from "./cookie.ts";
import { isOwnPage } from "./own-page.ts";
import { allow, problem, Refusal, readJson } from "./respond.ts";

export interface WebSessionsOptions {
  authenticator: Pick<Authenticator, "authenticate" | "checkPassword" | "wasVerifiedBy">;
  store: Store;
  bus: Pick<Bus, "publish">;
  clock: Clock;
  random: Random;
  log: Log;
  /** Whose sign-ins these are: the label of their tokens, and the name of the cookie, differ. (Default: the inbox) */
  site?: Site;
  /** Whether the login may sign in here. (Default: everybody) */
  admits?(login: Login): Promise<boolean>;
  /** What is known of a request that may have come through proxies. */
  proxies: {
    clientAddress(req: IncomingMessage): string | undefined;
    baseUrl(req: IncomingMessage): string;
    isEncrypted(req: IncomingMessage): boolean;
  };
}

const hourMs = 3_600_000;
/** How long a sign-in lasts, and with "stay". */
const lifeMs = 12 * hourMs;
const stayMs = 30 * 24 * hourMs;
/** Of the tokens. */
const labels: Record<Site, string> = { inbox: "web", operator: "operator" };

/**
 * Signs people in with a browser: a cookie that scripts cannot read stands for an ordinary token, so that downloads, pictures
 * and the WebSocket, which carry no headers of a page's choice, are authenticated too.
 */
export class WebSessions {
  readonly #options: WebSessionsOptions;

  constructor(options: WebSessionsOptions) {
    this.#options = options;
  }

  /**
   * The value of the Authorization header, which always goes first, or what stands for it: the cookie, if one of our own pages
   * asks.
   */
  credentials(req: IncomingMessage): string | undefined {
    const { authorization } = req.headers;
    if (authorization !== undefined || req.headers.cookie === undefined) return authorization;
    const token = this.#cookie(req);
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
    if (path !== "/auth/login" && path !== "/auth/logout") throw new Refusal(404, "There is nothing at this path.");
    allow(req, "POST");
    // Or any page could sign its visitor in as somebody else, and read what is then written.
    if (!this.#isOwnPage(req)) throw new Refusal(403, "Only this server's own pages may sign in and out.");
    if (path === "/auth/login") await this.#signIn(req, res);
    else await this.#signOut(req, res);
  }

  async #signIn(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { username, password, stay = false } = await readJson(req);
    if (typeof username !== "string" || typeof password !== "string" || typeof stay !== "boolean") {
      throw new Refusal(400, "Send the texts username and password, and perhaps stay, which is true or false.");
    }
    const { authenticator, proxies, store, log } = this.#options;
    if (store.database.isReadOnly) throw new Refusal(503, "This server only reads: nobody can sign in now.");
    const address = proxies.clientAddress(req);
    const login = await authenticator.checkPassword(username, password, address);
    if (login === "throttled") throw new Refusal(429, "Too many wrong passwords recently: try again later.");
    if (!login) throw new Refusal(401, "Name or password is wrong.");
    if (login.credential !== "password") {
      throw new Refusal(403, "An app password is for one program: sign in here with the account's own password.");
    }
    if (!((await this.#options.admits?.(login)) ?? true)) {
      throw new Refusal(403, "This account is not an operator's.");
    }
    const lasts = stay && this.#site === "inbox";
    const token = await this.#newToken(req, login, lasts ? stayMs : lifeMs);
    // It has just been changed.
    if (token === undefined) throw new Refusal(401, "Name or password is wrong.");
    await this.#end(this.#cookie(req));
    log.info({ login: login.login, remoteAddress: address }, "signed in");
    const cookie = writeCookie(token, this.#cookieFor(req), lasts ? stayMs : undefined);
    res.writeHead(204, { "Set-Cookie": cookie, "Cache-Control": "no-store" }).end();
  }

  /** Undefined if the password was changed after it had been verified: the change must end all that was opened before. */
  async #newToken(req: IncomingMessage, login: Login, forMs: number): Promise<string | undefined> {
    const { authenticator, store } = this.#options;
    const { login: name, userId } = login;
    return store.write(userId, login, async (tx) => {
      const passwordHash = await currentPasswordHash(tx, name);
      if (passwordHash === undefined || !authenticator.wasVerifiedBy(login, passwordHash)) return undefined;
      return addBrowserToken(tx, req, { login: name, userId, label: labels[this.#site], forMs }, this.#options);
    });
  }

  async #signOut(req: IncomingMessage, res: ServerResponse): Promise<void> {
    await this.#end(this.#cookie(req));
    res
      .writeHead(204, {
        "Set-Cookie": writeCookie("", this.#cookieFor(req), 0),
        "Clear-Site-Data": '"cache", "storage"',
        "Cache-Control": "no-store",
      })
      .end();
  }

  /** Ends a token, and the WebSockets opened with it. */
  async #end(token: string | undefined): Promise<void> {
    if (token === undefined) return;
    const { authenticator, store, bus } = this.#options;
    const login = await authenticator.authenticate(`Bearer ${token}`, undefined);
    if (login === undefined || login === "throttled") return;
    const id = login.credential.slice("token:".length);
    await store.write(login.userId, login, (tx) => removeCredentials(tx, login, { kind: "token", ids: [id] }));
    bus.publish({ credential: login.login });
  }

  #cookie(req: IncomingMessage): string | undefined {
    return readCookie(req, this.#site, this.#options.proxies.isEncrypted(req));
  }

  #cookieFor(req: IncomingMessage) {
    return { site: this.#site, isEncrypted: this.#options.proxies.isEncrypted(req) };
  }

  get #site(): Site {
    return this.#options.site ?? "inbox";
  }

  #isOwnPage(req: IncomingMessage): boolean {
    return isOwnPage(req, this.#options.proxies.baseUrl(req));
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (error instanceof Refusal) {
      problem(req, res, error);
      return;
    }
    const reference = this.#options.random(6).toString("hex");
    this.#options.log.error({ reference, err: error }, "signing in or out failed");
    problem(req, res, new Refusal(503, `Try again later, reference ${reference}.`));
  }
}
