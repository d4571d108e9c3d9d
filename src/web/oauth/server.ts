import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Clock, Random } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { networkOf } from "../../base/network.ts";
import type { SharedCounts } from "../../base/shared-counts.ts";
import type { Bus } from "../../push/bus.ts";
import type { Store } from "../../store/core/store.ts";
import type { Means } from "../means.ts";
import { isOwnPage } from "../own-page.ts";
import { allow, problem, Refusal, readForm, readJson } from "../respond.ts";
import { answerOf, readAuthorization, WrongRequest } from "./authorization.ts";
import { Clients } from "./clients.ts";
import { OauthError } from "./errors.ts";
import { Grants } from "./grants.ts";
import { isResource, isSafe, paths, resourceMetadata, serverMetadata } from "./metadata.ts";
import { readRegistration, registered } from "./registration.ts";

export interface OauthOptions {
  authenticator: Pick<Authenticator, "authenticate">;
  /** What stands for the Authorization header of a request of our own pages. */
  credentials(req: IncomingMessage): string | undefined;
  store: Store;
  bus: Pick<Bus, "publish">;
  counts: Pick<SharedCounts, "rateLimit">;
  clock: Clock;
  random: Random;
  log: Log;
  proxies: Means["proxies"];
  /** Our name in SMTP. */
  hostname: string;
}

/** Of a network in an hour. */
const maxRegistrations = 60;
const maxTokenRequests = 3_000;

type Answer = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/**
 * OAuth 2.0 (RFC 6749) by the profile draft-ietf-mailmaint-oauth-public: programs get tokens for what somebody, signed in at our
 * pages, allows them. The page that asks is one of `Pages`.
 */
export class Oauth {
  readonly #options: OauthOptions;
  readonly #clients: Clients;
  readonly #grants: Grants;
  readonly #registrations;
  readonly #tokenRequests;
  /** By path. */
  readonly #forPrograms: Record<string, Answer>;
  readonly #forOurPage: Record<string, Answer>;

  constructor(options: OauthOptions) {
    const { store, counts } = options;
    const windowMs = 3_600_000;
    this.#options = options;
    this.#clients = new Clients(store.database);
    this.#grants = new Grants(options);
    this.#registrations = counts.rateLimit("oauth registrations", { max: maxRegistrations, windowMs });
    this.#tokenRequests = counts.rateLimit("oauth tokens", { max: maxTokenRequests, windowMs });
    this.#forPrograms = {
      [paths.server]: async (req, res) => this.#tell(req, res, serverMetadata(this.#issuer(req))),
      [paths.register]: (req, res) => this.#register(req, res),
      [paths.token]: (req, res) => this.#giveTokens(req, res),
      [paths.revoke]: (req, res) => this.#revoke(req, res),
    };
    this.#forOurPage = {
      "/oauth/request": (req, res) => this.#describe(req, res),
      "/oauth/answer": (req, res) => this.#decide(req, res),
    };
  }

  /** RFC 9728 §5.1: where a client that has no token learns how to get one. */
  resourceMetadata(req: IncomingMessage): string | undefined {
    const issuer = this.#issuer(req);
    const path = pathOf(req);
    return isSafe(issuer) ? `${issuer}${paths.resource}${isResource(path) ? path : ""}` : undefined;
  }

  /** Answers a request for one of its paths; false for any other. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const path = pathOf(req);
    const isMetadata = path === paths.resource || path.startsWith(`${paths.resource}/`);
    const forPrograms = isMetadata ? this.#tellResource : this.#forPrograms[path];
    const answer = forPrograms ?? this.#forOurPage[path];
    if (!answer) return false;
    if (forPrograms && openToAll(req, res)) return true;
    this.#answer(answer, req, res).catch((error: unknown) => this.#fail(req, res, error));
    return true;
  }

  async #answer(answer: Answer, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!isSafe(this.#issuer(req))) throw new Refusal(404, "OAuth is for encrypted connections only.");
    await answer.call(this, req, res);
  }

  #tellResource: Answer = async (req, res) => {
    const path = pathOf(req).slice(paths.resource.length);
    if (!isResource(path)) throw new Refusal(404, "There is no such resource.");
    this.#tell(req, res, resourceMetadata(this.#issuer(req), path));
  };

  #tell(req: IncomingMessage, res: ServerResponse, metadata: object): void {
    if (req.method !== "GET" && req.method !== "HEAD")
      throw new Refusal(405, "It is only read.", { headers: { Allow: "GET, HEAD" } });
    send(req, res, 200, metadata);
  }

  /** RFC 7591 §3 */
  async #register(req: IncomingMessage, res: ServerResponse): Promise<void> {
    allow(req, "POST");
    await this.#count(req, this.#registrations);
    const body = await readJson(req);
    const registration = readRegistration(body);
    const id = await this.#clients.register(registration);
    send(req, res, 201, registered(id, registration, body));
  }

  /** RFC 6749 §3.2 */
  async #giveTokens(req: IncomingMessage, res: ServerResponse): Promise<void> {
    allow(req, "POST");
    await this.#count(req, this.#tokenRequests);
    const form = await readForm(req);
    const get = (name: string) => value(form, name) ?? missing(name);
    const client = await this.#clients.find(get("client_id"));
    if (!client) throw new OauthError("invalid_client", "the program is not known here");
    const request = { clientId: client.id, network: this.#network(req) };
    const grantType = get("grant_type");
    if (grantType === "authorization_code") {
      const given = { code: get("code"), redirectUri: get("redirect_uri"), verifier: get("code_verifier") };
      send(req, res, 200, await this.#grants.redeem(given, request));
    } else if (grantType === "refresh_token") {
      send(req, res, 200, await this.#grants.refresh(get("refresh_token"), value(form, "scope"), request));
    } else throw new OauthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token");
  }

  /** RFC 7009 §2 */
  async #revoke(req: IncomingMessage, res: ServerResponse): Promise<void> {
    allow(req, "POST");
    await this.#count(req, this.#tokenRequests);
    const form = await readForm(req);
    await this.#grants.revoke(
      value(form, "token") ?? missing("token"),
      value(form, "client_id") ?? missing("client_id"),
    );
    res.writeHead(200, { "Content-Length": 0, "Cache-Control": "no-store" }).end();
  }

  /** What our page shows: who asks, and for what. */
  async #describe(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { login, query } = await this.#ourPage(req);
    const { client, redirectUri, scopes } = await this.#read(req, query);
    const { name, uri, isVerified } = client;
    send(req, res, 200, { login: login.login, client: { name, uri, isVerified }, redirectUri, scopes });
  }

  /** What somebody decided at our page. The answer is where the browser goes next. */
  async #decide(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { login, query, body } = await this.#ourPage(req);
    if (typeof body.allow !== "boolean") throw new Refusal(400, "Send allow, which is true or false.");
    const asked = await this.#read(req, query);
    const answer = body.allow
      ? { code: await this.#grants.allow(login, asked) }
      : new OauthError("access_denied", "the program was not allowed");
    send(req, res, 200, { to: answerOf(asked, this.#issuer(req), answer) });
  }

  #read(req: IncomingMessage, query: string) {
    const { hostname } = this.#options;
    return readAuthorization(query, { clients: this.#clients, issuer: this.#issuer(req), hostname });
  }

  /** Only a browser that is signed in at our pages may decide, and only our page may ask it to (RFC 9700 §4.7). */
  async #ourPage(req: IncomingMessage): Promise<{ login: Login; query: string; body: Record<string, unknown> }> {
    const { authenticator, credentials, proxies, store } = this.#options;
    allow(req, "POST");
    if (!isOwnPage(req, proxies.baseUrl(req))) throw new Refusal(403, "Only this server's own page may ask for this.");
    const body = await readJson(req);
    if (typeof body.query !== "string") throw new Refusal(400, "Send the text query.");
    const login = await authenticator.authenticate(credentials(req), proxies.clientAddress(req));
    // No other credential, a program's token least of all, can allow anything.
    if (typeof login !== "object" || !login.isWeb) throw new Refusal(401, "Sign in first.");
    if (store.database.isReadOnly) throw new Refusal(503, "This server only reads: nothing can be allowed now.");
    return { login, query: body.query, body };
  }

  async #count(req: IncomingMessage, limit: ReturnType<SharedCounts["rateLimit"]>): Promise<void> {
    const network = this.#network(req);
    if (network !== undefined && !(await limit.count(network))) throw new Refusal(429, "Too many requests: try later.");
  }

  #network(req: IncomingMessage): string | undefined {
    const address = this.#options.proxies.clientAddress(req);
    return address === undefined ? undefined : networkOf(address);
  }

  #issuer(req: IncomingMessage): string {
    return this.#options.proxies.baseUrl(req);
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (error instanceof WrongRequest) send(req, res, 200, { to: error.to });
    else if (error instanceof OauthError) send(req, res, 400, error);
    else if (error instanceof Refusal) problem(req, res, error);
    else {
      const reference = this.#options.random(6).toString("hex");
      this.#options.log.error({ reference, err: error }, "a request of OAuth failed");
      problem(req, res, new Refusal(503, `Try again later, reference ${reference}.`));
    }
  }
}

const pathOf = (req: IncomingMessage) => (req.url ?? "").replace(/[?#].*$/s, "");

/** RFC 6749 §3.2: a parameter without a value is not there, and none may be there twice. */
function value(form: URLSearchParams, name: string): string | undefined {
  if (form.getAll(name).length > 1) throw new OauthError("invalid_request", `${name} is there twice`);
  return form.get(name) || undefined;
}

function missing(name: string): never {
  throw new OauthError("invalid_request", `${name} is missing`);
}

/** Programs may be pages of any origin: no cookie counts here. Returns true if the request was a preflight. */
function openToAll(req: IncomingMessage, res: ServerResponse): boolean {
  res.setHeader("Access-Control-Allow-Origin", "*");
  if (req.method !== "OPTIONS") return false;
  res.writeHead(204, {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "86400",
    "Content-Length": "0",
  });
  res.end();
  return true;
}

function send(req: IncomingMessage, res: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  if (!req.complete) {
    res.setHeader("Connection", "close");
    req.resume();
  }
  res.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  res.end(req.method === "HEAD" ? undefined : body);
}
