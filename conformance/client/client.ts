import type { OutgoingHttpHeaders } from "node:http";
import { type Answer, type Ask, agentFor, exchange, HttpFailure } from "./http.ts";
import type { Invocation, JmapResponse, Json, ResultReference, Session, UploadResult } from "./types.ts";
import * as types from "./types.ts";

export type Login = { url: string; user: string; password: string } | { url: string; token: string };
export type ConnectOptions = Login & {
  /** Connections that this client may hold at once. (Default: no limit.) */
  connections?: number;
  /** How long to wait for a silent server, in ms. (Default: 30000.) */
  timeoutMs?: number;
  /** Called with every request and its answer: for reports. */
  observe?: Observer;
};

export type Observed = { url: URL; ask: Ask; answer: Answer | Error };
export type Observer = (observed: Observed) => void;

/** A method-level error of RFC 8620 §3.6.2. */
export class MethodFailure extends Error {
  readonly type: string;
  readonly args: Json;
  constructor(method: string, args: Json) {
    super(`${method}: ${String(args.type)} ${String(args.description ?? "")}`.trim());
    this.name = "MethodFailure";
    this.type = String(args.type);
    this.args = args;
  }
}

/** A JMAP client of RFC 8620 that adds nothing to the server's answers. */
export class Client {
  readonly session: Session;
  readonly sessionUrl: URL;
  readonly authorization: string;
  readonly accountId: string;
  /** The default `using` of `call`. */
  readonly using: string[];
  readonly observe: Observer | undefined;
  readonly #agent: ReturnType<typeof agentFor>;
  readonly #timeoutMs: number;
  readonly #apiUrl: URL;

  constructor(session: Session, sessionUrl: URL, authorization: string, options: ConnectOptions) {
    this.session = session;
    this.sessionUrl = sessionUrl;
    this.authorization = authorization;
    this.accountId = session.primaryAccounts?.[types.mail] ?? Object.keys(session.accounts)[0] ?? "";
    const wanted = [types.core, types.mail, types.submission, types.vacation];
    this.using = wanted.filter((name) => name in session.capabilities);
    this.#agent = agentFor(sessionUrl, options.connections ?? Number.POSITIVE_INFINITY);
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.observe = options.observe;
    this.#apiUrl = this.resolve(session.apiUrl);
  }

  resolve(url: string): URL {
    return new URL(url, this.sessionUrl);
  }

  /** RFC 6570 level 1, as the session's templates need it. */
  expand(template: string, values: Record<string, string>): URL {
    return this.resolve(template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? "")));
  }

  /** Any request to the server, logged in unless `authorization: undefined` is among the headers. Checks nothing. */
  async fetch(url: string | URL, ask: Ask = {}): Promise<Answer> {
    const headers: OutgoingHttpHeaders = { authorization: this.authorization, ...ask.headers };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    const full = { timeoutMs: this.#timeoutMs, ...ask, headers };
    const target = this.resolve(String(url));
    try {
      const answer = await exchange(this.#agent, target, full);
      this.observe?.({ url: target, ask: full, answer });
      return answer;
    } catch (error) {
      this.observe?.({ url: target, ask: full, answer: error as Error });
      throw error;
    }
  }

  /** Posts a body unchanged to the API, and returns the answer unchanged. */
  request(body: string | Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.fetch(this.#apiUrl, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  }

  async callRaw(request: Json): Promise<JmapResponse> {
    const answer = await this.request(JSON.stringify(request));
    if (answer.status !== 200) throw new HttpFailure("API", answer);
    return JSON.parse(answer.body.toString()) as JmapResponse;
  }

  async call(methodCalls: readonly Invocation[], using: readonly string[] = this.using): Promise<Invocation[]> {
    return (await this.callRaw({ using, methodCalls })).methodResponses;
  }

  async upload(
    bytes: string | Uint8Array,
    type = "application/octet-stream",
    accountId = this.accountId,
  ): Promise<UploadResult> {
    const url = this.expand(this.session.uploadUrl, { accountId });
    const answer = await this.fetch(url, { method: "POST", headers: { "content-type": type }, body: bytes });
    if (answer.status !== 201 && answer.status !== 200) throw new HttpFailure("upload", answer);
    return JSON.parse(answer.body.toString()) as UploadResult;
  }

  /** `range` is the value of the Range header, like `bytes=0-99`; its answer must then be a 206. */
  async download(blobId: string, name = "blob", type = "application/octet-stream", range?: string): Promise<Answer> {
    const url = this.downloadUrl(blobId, name, type);
    const answer = await this.fetch(url, range === undefined ? {} : { headers: { range } });
    if (answer.status !== (range === undefined ? 200 : 206)) throw new HttpFailure("download", answer);
    return answer;
  }

  downloadUrl(blobId: string, name: string, type: string, accountId = this.accountId): URL {
    return this.expand(this.session.downloadUrl, { accountId, blobId, name, type });
  }

  /** Closes the idle connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** `url` is the server's root, or its session resource itself; redirects on the same host are followed (RFC 8620 §2.2). */
export async function connect(options: ConnectOptions): Promise<Client> {
  const authorization =
    "token" in options
      ? `Bearer ${options.token}`
      : `Basic ${Buffer.from(`${options.user}:${options.password}`).toString("base64")}`;
  let url = new URL(options.url);
  if (url.pathname === "/") url = new URL("/.well-known/jmap", url);
  for (let hop = 0; hop < 5; hop++) {
    const answer = await exchange(undefined, url, {
      headers: { authorization, connection: "close" },
      timeoutMs: options.timeoutMs ?? 30_000,
    });
    const next = answer.headers.location;
    if (answer.status >= 300 && answer.status < 400 && next) {
      const target = new URL(next, url);
      // The request carries the password, so never follow a redirect to another host.
      if (target.hostname !== url.hostname) throw new HttpFailure("session moved to another host", answer);
      url = target;
      continue;
    }
    if (answer.status !== 200) throw new HttpFailure("session", answer);
    return new Client(JSON.parse(answer.body.toString()) as Session, url, authorization, options);
  }
  throw new Error(`too many redirects from ${options.url}`);
}

/** One call; adds `accountId` where it is missing (but for Core/ methods) and throws MethodFailure for an error. */
export async function one<T = Json>(client: Client, method: string, args: Json = {}, using?: string[]): Promise<T> {
  const full = method.startsWith("Core/") || "accountId" in args ? args : { accountId: client.accountId, ...args };
  const [answer] = await client.call([[method, full, "0"]], using);
  if (!answer) throw new Error(`${method}: no response`);
  return responseArgs<T>(answer, method);
}

/** The arguments of a response, which must be to `method`. */
export function responseArgs<T = Json>(answer: Invocation, method: string): T {
  if (answer[0] === "error") throw new MethodFailure(method, answer[1]);
  if (answer[0] !== method) throw new Error(`${method} was answered by ${answer[0]}`);
  return answer[1] as T;
}

/** A result reference of RFC 8620 §3.7. */
export function ref(resultOf: string, name: string, path: string): ResultReference {
  return { resultOf, name, path };
}
