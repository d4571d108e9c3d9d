import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Tx } from "../store/core/store.ts";
import type { LoginName } from "../store/directory/login-name.ts";
import { currentPasswordHash, removeCredentials, webSignIn } from "../store/directory/sign-ins.ts";
import { addBrowserToken } from "./browser-token.ts";
import { readCookie, type Site, writeCookie } from "./cookie.ts";
import type { Asked, Means } from "./means.ts";
import { sendJson } from "./respond.ts";

const hourMs = 3_600_000;
/** How long a sign-in lasts, and with "stay". */
const lifeMs = 12 * hourMs;
const stayMs = 30 * 24 * hourMs;
/** Of the tokens. */
const labels: Record<Site, string> = { inbox: webSignIn, operator: "operator" };

/** A token that is in the database, while the browser does not have it yet. */
export interface Opened {
  secret: string;
  login: string;
  stay: boolean;
}

/** The tokens of browsers, each in a cookie: made, given, and ended. */
export class WebTokens {
  readonly #means: Means;

  constructor(means: Means) {
    this.#means = means;
  }

  /** Adds a token in a transaction that has made sure that somebody may sign in. */
  async add(tx: Tx, { req }: Pick<Asked, "req">, owner: LoginName, wanted: boolean, label?: string): Promise<Opened> {
    const { site } = this.#means;
    const { login, userId } = owner;
    const stay = wanted && site === "inbox";
    const token = { login, userId, label: label ?? labels[site], forMs: stay ? stayMs : lifeMs };
    const secret = await addBrowserToken(tx, req, token, this.#means);
    return { secret, login, stay };
  }

  /** Ends what the browser had opened before, and gives it the new token: with 204, or the `answer` as JSON. */
  async give({ req, res, address }: Asked, { secret, login, stay }: Opened, answer?: object): Promise<void> {
    await this.end(req);
    this.#means.log.info({ login, remoteAddress: address }, "signed in");
    const headers = { "Set-Cookie": this.cookieOf(req, { secret, stay }) };
    if (answer) sendJson(res, answer, headers);
    else res.writeHead(204, { ...headers, "Cache-Control": "no-store" }).end();
  }

  /** The value of Set-Cookie. */
  cookieOf(req: IncomingMessage, { secret, stay }: Pick<Opened, "secret" | "stay">): string {
    return writeCookie(secret, this.#cookieFor(req), stay ? stayMs : undefined);
  }

  /** Ends the token of the browser, and the WebSockets opened with it. */
  async end(req: IncomingMessage): Promise<void> {
    const token = this.cookie(req);
    if (token === undefined) return;
    const { authenticator, store, bus } = this.#means;
    const login = await authenticator.authenticate(`Bearer ${token}`, undefined);
    if (login === undefined || typeof login === "string") return;
    const id = login.credential.slice("token:".length);
    await store.write(login.userId, login, (tx) => removeCredentials(tx, login, { kind: "token", ids: [id] }));
    bus.publish({ credential: login.login });
  }

  signOut(req: IncomingMessage, res: ServerResponse): void {
    res
      .writeHead(204, {
        "Set-Cookie": writeCookie("", this.#cookieFor(req), 0),
        "Clear-Site-Data": '"cache", "storage"',
        "Cache-Control": "no-store",
      })
      .end();
  }

  cookie(req: IncomingMessage): string | undefined {
    return readCookie(req, this.#means.site, this.#means.proxies.isEncrypted(req));
  }

  #cookieFor(req: IncomingMessage) {
    return { site: this.#means.site, isEncrypted: this.#means.proxies.isEncrypted(req) };
  }
}

/** Says which hash a password was verified by, without telling it. */
export function markOf(passwordHash: string): string {
  return createHash("sha256").update(passwordHash).digest("base64url");
}

/** Whether the password is still the one that was verified: its change ends all that was opened before, and all that is under way. */
export async function isStill(tx: Tx, { login, mark }: { login: string; mark: string }): Promise<boolean> {
  const passwordHash = await currentPasswordHash(tx, login);
  return passwordHash !== undefined && markOf(passwordHash) === mark;
}
