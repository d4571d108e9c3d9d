import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator } from "../../auth/login.ts";
import type { Log } from "../../base/log.ts";
import type { PlaceLimit } from "../../base/shared-counts.ts";
import type { Bus } from "../../push/bus.ts";
import type { Watched } from "../../push/carrier.ts";
import { type Connection, Connections } from "../../push/connections.ts";
import { RequestError } from "../errors.ts";
import type { Services } from "../method.ts";
import type { Proxies } from "./address.ts";
import { authenticate } from "./authenticate.ts";
import type { WebEndpoints } from "./deps.ts";
import { asRefusal, refuse } from "./refusals.ts";

export interface NewsDeps extends Pick<Services, "random"> {
  bus: Pick<Bus, "onWatched" | "onRevoked">;
  log: Log;
  /** Aborted when the server drains: open streams end. The reason is an Ending. */
  draining: AbortSignal;
  /** Of the operators' door. */
  authenticator: Pick<Authenticator, "authenticate">;
  credentials: WebEndpoints["credentials"];
  proxies: Pick<Proxies, "clientAddress">;
  /** Counts the streams of each login. */
  places: PlaceLimit;
}

const path = "/jmap/operator/news";
/** However much happens, a page is told once in this time. */
const gatherMs = 1_000;
/** Proxies end what is silent for a minute. */
const pingMs = 30_000;
/** A page that has not read for so many pings has gone. */
const maxMissed = 4;

const headers = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

/**
 * Ours (docs/jmap.md): an event source that tells the operators' pages what may be otherwise now, not how. They ask again for what
 * they show, so nothing is told here that a role must not see.
 */
export class News {
  readonly #deps: NewsDeps;
  readonly #connections: Connections;

  constructor(deps: NewsDeps) {
    this.#deps = deps;
    this.#connections = new Connections(deps);
  }

  /** Answers a request for the stream; false for any other. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    if ((req.url ?? "").replace(/[?#].*$/, "") !== path) return false;
    this.#open(req, res).catch((error: unknown) => refuse(req, res, asRefusal(error, this.#deps)));
    return true;
  }

  async #open(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { places, proxies } = this.#deps;
    if (req.method !== "GET") throw new RequestError("about:blank", 405, "This resource takes GET only.");
    const check = () => authenticate(req, proxies.clientAddress(req), { ...this.#deps, web: this.#asWeb() });
    const { login } = await check();
    if (this.#connections.isStopping) throw new RequestError("about:blank", 503, "The server is shutting down.");
    if (!(await places.take(login))) throw new RequestError("about:blank", 429, "Too many pages are open.");
    // The page may have gone during the wait.
    if (res.destroyed) return places.leave(login);
    const stream = new Stream(res, login, async () => (await check()).login === login);
    const off = this.#deps.bus.onWatched((what) => stream.tell(what));
    this.#connections.add(stream);
    res.on("error", () => {});
    res.once("close", () => {
      off();
      stream.end();
      this.#connections.delete(stream);
      places.leave(login);
    });
  }

  #asWeb(): WebEndpoints {
    return { credentials: this.#deps.credentials, serve: () => false };
  }
}

class Stream implements Connection {
  readonly login: string;
  readonly #res: ServerResponse;
  readonly #check: () => Promise<boolean>;
  readonly #news = new Set<Watched>();
  readonly #ping: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #missed = 0;

  constructor(res: ServerResponse, login: string, check: () => Promise<boolean>) {
    this.login = login;
    this.#res = res;
    this.#check = check;
    this.#ping = setInterval(() => this.#sendPing(), pingMs).unref();
    res.socket?.setTimeout(0);
    res.writeHead(200, headers);
    res.write(": \n\n");
  }

  #sendPing(): void {
    if (this.#write(": \n\n")) this.#missed = 0;
    else if (++this.#missed >= maxMissed) this.#res.destroy();
  }

  tell(what: Watched): void {
    this.#news.add(what);
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(this.#toldAt + gatherMs - performance.now(), 0)).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    this.#toldAt = performance.now();
    const told = [...this.#news];
    if (this.#write(`event: changed\ndata: ${JSON.stringify(told)}\n\n`)) this.#news.clear();
    else this.tell(told[0]!);
  }

  /** False while the page does not read: nothing piles up for it. */
  #write(text: string): boolean {
    if (this.#res.writableNeedDrain) return false;
    this.#res.write(text);
    return true;
  }

  close(): void {
    this.end();
    this.#res.end();
  }

  async isValid(): Promise<boolean | undefined> {
    try {
      return await this.#check();
    } catch (error) {
      if (error instanceof RequestError) return error.status === 401 ? false : undefined;
      throw error;
    }
  }

  end(): void {
    clearInterval(this.#ping);
    clearTimeout(this.#timer);
  }
}
