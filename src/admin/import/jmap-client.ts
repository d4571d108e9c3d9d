import { setTimeout as sleep } from "node:timers/promises";
import { isLoopback } from "./loopback.ts";
import { SourceFault } from "./source.ts";

const core = "urn:ietf:params:jmap:core";
const mail = "urn:ietf:params:jmap:mail";
const maxRedirects = 5;
const maxTries = 6;
/** An upload may be as slow as this. */
const minBytesPerMs = 20;
/** These change nothing. */
const reading = /\/(get|query|changes|queryChanges)$/;

export type Credentials = { user: string; password: string } | { token: string };

interface Session {
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  primaryAccounts?: Record<string, string>;
  accounts: Record<string, { name?: string }>;
  capabilities: Record<string, { maxObjectsInGet?: number; maxConcurrentRequests?: number }>;
}

/** A method answered with an error (RFC 8620 §3.6.2). */
export class MethodFailed extends Error {
  readonly type: string;

  constructor(method: string, { type = "", description = "" }: { type?: string; description?: string }) {
    super(`${method}: ${type} ${description}`.trim());
    this.type = type;
  }
}

/** What reading and writing another server's mail needs of RFC 8620. It asks again where a server is busy or away for a moment. */
export class JmapClient {
  readonly accountId: string;
  readonly maxObjectsInGet: number;
  readonly maxDownloads: number;
  readonly #session: Session;
  readonly #url: URL;
  readonly #authorization: string;
  readonly #idleMs: number;

  private constructor(session: Session, url: URL, authorization: string, idleMs: number) {
    this.#session = session;
    this.#url = url;
    this.#authorization = authorization;
    this.#idleMs = idleMs;
    const limits = session.capabilities[core] ?? {};
    this.maxObjectsInGet = Math.min(limits.maxObjectsInGet ?? 500, 500);
    this.maxDownloads = Math.max(1, Math.min(limits.maxConcurrentRequests ?? 4, 8));
    this.accountId = session.primaryAccounts?.[mail] ?? Object.keys(session.accounts)[0] ?? "";
  }

  /** RFC 8620 §2.2: `place` is the server, or the URL of its session. A server that sends nothing for `idleMs` is away. */
  static async connect(place: string, credentials: Credentials, idleMs = 60_000): Promise<JmapClient> {
    const authorization =
      "token" in credentials
        ? `Bearer ${credentials.token}`
        : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
    const given = new URL(/^https?:\/\//.test(place) ? place : `https://${place}`);
    if (given.protocol === "http:" && !isLoopback(given.hostname)) {
      throw new SourceFault(`${given.href} is not encrypted: name it with https://`);
    }
    if (given.pathname === "/") given.pathname = "/.well-known/jmap";
    let url = given;
    for (let hops = 0; ; hops++) {
      const response = await answer(url, { headers: { authorization }, redirect: "manual" }, { idleMs });
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location && hops < maxRedirects) {
        const next = new URL(location, url);
        if (next.protocol !== "https:" && next.protocol !== url.protocol) {
          throw new SourceFault(`${url.host} refers to ${next.href}, which is not encrypted`);
        }
        if (next.host !== url.host && (next.hostname !== url.hostname || next.protocol !== "https:")) {
          throw new SourceFault(`${url.host} refers to ${next.href}: if you trust it with the password, name that URL`);
        }
        url = next;
        continue;
      }
      if (response.status === 401) throw new SourceFault(`${url.host} refuses the name or password`);
      if (!response.ok) throw new SourceFault(`${url.href} answers ${response.status}`);
      const session: Partial<Session> = (response.json() as Partial<Session> | null | undefined) ?? {};
      if (
        !session.apiUrl ||
        !session.downloadUrl ||
        !session.uploadUrl ||
        !session.accounts ||
        !session.capabilities?.[mail]
      ) {
        throw new SourceFault(`${url.href} is no JMAP server with mail`);
      }
      const client = new JmapClient(session as Session, url, authorization, idleMs);
      client.#checkHost(session.apiUrl);
      client.#checkHost(session.downloadUrl);
      client.#checkHost(session.uploadUrl);
      return client;
    }
  }

  get host(): string {
    return this.#url.host;
  }

  /** The name that the server has for the account. */
  get accountName(): string {
    return this.#session.accounts[this.accountId]?.name ?? this.accountId;
  }

  /** Throws MethodFailed. What changes something is asked for once: without an answer, it may be done or not. */
  async call<Result>(method: string, args: Record<string, unknown>): Promise<Result> {
    const body = JSON.stringify({
      using: [core, mail],
      methodCalls: [[method, { accountId: this.accountId, ...args }, "0"]],
    });
    const url = new URL(this.#session.apiUrl, this.#url);
    const headers = { authorization: this.#authorization, "content-type": "application/json" };
    const how = { idleMs: this.#idleMs, isRepeatable: reading.test(method) };
    const response = await answer(url, { method: "POST", headers, body }, how);
    if (!response.ok) throw new SourceFault(`${url.host} answers ${response.status} to ${method}`);
    const answered = response.json() as { methodResponses?: [string, object, string][] } | null | undefined;
    const [name, result] = answered?.methodResponses?.[0] ?? ["error", { type: "serverFail" }];
    if (name === "error") throw new MethodFailed(method, result);
    return result as Result;
  }

  /** The bytes of a blob; undefined if the server has none of that id. */
  async download(blobId: string): Promise<Buffer | undefined> {
    const values: Record<string, string> = {
      accountId: this.accountId,
      blobId,
      name: "mail.eml",
      type: "message/rfc822",
    };
    const path = this.#session.downloadUrl.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(values[name] ?? ""),
    );
    const headers = { authorization: this.#authorization };
    const response = await answer(new URL(path, this.#url), { headers }, { idleMs: this.#idleMs });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new SourceFault(`${this.host} answers ${response.status} to a download`);
    return response.bytes;
  }

  /** RFC 8620 §6.1. Made twice, a blob that nothing uses goes by itself. */
  async upload(bytes: Buffer, type: string): Promise<{ blobId: string }> {
    const path = this.#session.uploadUrl.replace("{accountId}", encodeURIComponent(this.accountId));
    const headers = { authorization: this.#authorization, "content-type": type };
    const init = { method: "POST", headers, body: new Uint8Array(bytes) };
    // Nothing comes back until all is sent.
    const idleMs = this.#idleMs + bytes.length / minBytesPerMs;
    const response = await answer(new URL(path, this.#url), init, { idleMs });
    if (!response.ok) throw new SourceFault(`${this.host} answers ${response.status} to an upload`);
    const answered = response.json() as { blobId?: string } | null | undefined;
    if (!answered?.blobId) throw new SourceFault(`${this.host} does not name the blob that an upload made`);
    return { blobId: answered.blobId };
  }

  /** The password goes to the server that was named and to no other. */
  #checkHost(text: string): void {
    const url = new URL(text.replace(/[{}]/g, ""), this.#url);
    const isSame =
      url.hostname === this.#url.hostname || url.hostname.endsWith(`.${this.#url.hostname.replace(/^www\./, "")}`);
    if (!isSame)
      throw new SourceFault(`${this.host} refers to ${url.host}: name that server if you trust it with the password`);
    if (this.#url.protocol === "https:" && url.protocol !== "https:") {
      throw new SourceFault(`${this.host} refers to ${url.href}, which is not encrypted`);
    }
  }
}

interface Answer {
  status: number;
  ok: boolean;
  headers: Headers;
  bytes: Buffer;
  /** Undefined if it is none. */
  json(): unknown;
}

interface How {
  idleMs: number;
  /** (Default: true) */
  isRepeatable?: boolean;
}

/** Waits longer from try to try, or as long as the server says. What may not be repeated is tried again only if the server says, by 429, that it did nothing. */
async function answer(url: URL, init: RequestInit, { idleMs, isRepeatable = true }: How): Promise<Answer> {
  const busy = isRepeatable ? [429, 502, 503, 504] : [429];
  for (let tries = 1; ; tries++) {
    let pauseMs = 250 * 2 ** tries;
    try {
      const response = await askOnce(url, init, idleMs);
      if (!busy.includes(response.status) || tries >= maxTries) return response;
      const wanted = Number(response.headers.get("retry-after"));
      if (wanted > 0) pauseMs = Math.min(wanted, 60) * 1000;
    } catch (error) {
      if (!isRepeatable || tries >= maxTries) {
        const { cause, message } = error as Error & { cause?: Error };
        throw new SourceFault(`${url.host} can't be reached: ${cause?.message ?? message}`);
      }
    }
    await sleep(pauseMs);
  }
}

/** The whole answer. It may take any time, as long as something comes. */
async function askOnce(url: URL, init: RequestInit, idleMs: number): Promise<Answer> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new Error(`nothing came for ${Math.round(idleMs / 1000)} s`)), idleMs);
  try {
    const response = await fetch(url, { ...init, signal: ending.signal });
    const pieces: Uint8Array[] = [];
    timer.refresh();
    for await (const piece of response.body ?? []) {
      timer.refresh();
      pieces.push(piece);
    }
    const { status, ok, headers } = response;
    const bytes = Buffer.concat(pieces);
    return { status, ok, headers, bytes, json: () => parsed(bytes) };
  } finally {
    clearTimeout(timer);
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
