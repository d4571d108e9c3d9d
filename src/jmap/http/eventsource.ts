import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { PlaceLimit } from "../../base/shared-counts.ts";
import type { Bus } from "../../push/bus.ts";
import { type CloseReason, type Connection, Connections, opensSame } from "../../push/connections.ts";
import { chooseTypes, lagSeconds, type StateChange } from "../../push/states.ts";
import { Subscriber } from "../../push/subscriber.ts";
import type { TypeName } from "../../store/core/change.ts";
import { RequestError } from "../errors.ts";
import type { Proxies } from "./address.ts";
import { headerOf } from "./authenticate.ts";
import type { WebEndpoints } from "./deps.ts";
import { refuse } from "./refusals.ts";

export interface EventSourceDeps {
  bus: Bus;
  log: Log;
  events: Events;
  /** Aborted when the server drains: open streams end. The reason is an Ending. */
  draining: AbortSignal;
  /** Checks credentials again from time to time; a stream ends when they no longer open its accounts. */
  authenticate: Authenticator["authenticate"];
  /** What a request has to be authenticated by. (Default: its Authorization header) */
  credentials?: WebEndpoints["credentials"] | undefined;
  proxies: Proxies;
  /** Counts the streams of each login. */
  places: PlaceLimit;
  /** How often credentials are checked again, in ms. (Default: 900 000) */
  checkIntervalMs?: number;
}

/** RFC 8620 §7.3 lets the server bound the interval: a client that asks for rarer pings gets them this often. */
const maxPingSeconds = 300;

/** When the server ends, clients come back after so long, at random moments. */
const minRetryMs = 1_000;
const spreadMs = 4_000;

/** Keeps proxies from holding events back. */
const headers = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

interface Parameters {
  types: ReadonlySet<TypeName>;
  closeAfterState: boolean;
  /** In seconds; 0 for no pings. */
  ping: number;
}

export type EventSource = (req: IncomingMessage, res: ServerResponse, login: Login, url: URL) => Promise<void>;

/** RFC 8620 §7.3 */
export function createEventSource(deps: EventSourceDeps): EventSource {
  const connections = new Connections(deps);
  const { places } = deps;
  return async (req, res, login, url) => {
    let parameters: Parameters;
    try {
      parameters = readParameters(url);
      if (connections.isStopping) throw new RequestError("about:blank", 503, "The server is shutting down.");
      if (!(await places.take(login.login)))
        throw new RequestError("about:blank", 429, "Too many event sources are open.");
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      refuse(req, res, error);
      return;
    }
    // The client may have gone during the wait.
    if (res.destroyed) return places.leave(login.login);
    res.once("close", () => places.leave(login.login));
    if (req.method === "HEAD") {
      res.writeHead(200, headers).end();
      return;
    }
    // Writing to a client that has just gone fails; "close" follows.
    res.on("error", () => {});
    const stream = new Stream(deps, req, res, login, parameters);
    connections.add(stream);
    res.once("close", () => {
      stream.end();
      connections.delete(stream);
    });
    void stream.start();
  };
}

function readParameters(url: URL): Parameters {
  const types = only(url, "types");
  if ((types !== "*" && !/^[A-Za-z][A-Za-z0-9]*(,[A-Za-z][A-Za-z0-9]*)*$/.test(types)) || types.length > 2_000) {
    throw badParameter("types must be * or type names separated by commas");
  }
  const closeafter = only(url, "closeafter");
  if (closeafter !== "no" && closeafter !== "state") throw badParameter('closeafter must be "no" or "state"');
  const ping = only(url, "ping");
  if (!/^\d{1,9}$/.test(ping)) throw badParameter("ping must be a whole number of seconds");
  const seconds = Number(ping);
  return {
    types: chooseTypes(types === "*" ? null : types.split(",")),
    closeAfterState: closeafter === "state",
    ping: Math.min(seconds, maxPingSeconds),
  };
}

function only(url: URL, name: string): string {
  const [value, ...more] = url.searchParams.getAll(name);
  if (value === undefined || more.length > 0) throw badParameter(`${name} must be given once`);
  return value;
}

function badParameter(detail: string): RequestError {
  return new RequestError("about:blank", 400, `The event source cannot be opened: ${detail}.`);
}

/** One open response. */
class Stream implements Connection {
  readonly login: string;
  readonly #deps: EventSourceDeps;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #accounts: number[];
  readonly #parameters: Parameters;
  readonly #subscriber: Subscriber;
  readonly #ping: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(deps: EventSourceDeps, req: IncomingMessage, res: ServerResponse, login: Login, parameters: Parameters) {
    this.login = login.login;
    this.#deps = deps;
    this.#req = req;
    this.#res = res;
    this.#accounts = login.accounts.map(({ id }) => id);
    this.#parameters = parameters;
    const lastEventId = req.headers["last-event-id"];
    this.#subscriber = new Subscriber({
      bus: deps.bus,
      accountIds: this.#accounts,
      types: parameters.types,
      pushState: typeof lastEventId === "string" && lastEventId !== "" ? lastEventId : null,
      onReady: () => this.#open(),
      send: (change, committedAt) => this.#sendState(change, committedAt),
    });
    if (parameters.ping > 0) this.#ping = setInterval(() => this.#sendPing(), parameters.ping * 1_000).unref();
  }

  async start(): Promise<void> {
    const { socket } = this.#req;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.setTimeout(0);
    try {
      await this.#subscriber.start();
    } catch (error) {
      this.#deps.log.error({ err: error }, "event source not opened");
      if (this.#ended) return;
      this.#refuse("The server cannot read the states at the moment.");
    }
  }

  close(reason?: CloseReason): void {
    if (this.#res.headersSent) {
      this.end();
      const isServerEnding = reason === "restart" || reason === "stop";
      this.#res.end(isServerEnding ? `retry: ${Math.round(minRetryMs + Math.random() * spreadMs)}\n\n` : undefined);
    } else this.#refuse("The stream was ended.");
  }

  async isValid(): Promise<boolean | undefined> {
    const { authenticate, credentials = headerOf, proxies } = this.#deps;
    const again = await authenticate(credentials(this.#req), proxies.clientAddress(this.#req));
    return opensSame(again, this.login, this.#accounts);
  }

  /** Stops the pings and the subscriber. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#ping);
    this.#subscriber.close();
  }

  /** A response that has begun can only be cut off. */
  #refuse(why: string): void {
    this.end();
    if (this.#res.headersSent) this.#res.destroy();
    else refuse(this.#req, this.#res, new RequestError("about:blank", 503, why));
  }

  #open(): void {
    if (this.#ended) return;
    this.#res.writeHead(200, headers);
    // An id without data is not an event, but a client cut off before its first event can still send it as Last-Event-ID.
    this.#res.write(`id: ${this.#subscriber.pushState}\n\n`);
  }

  #sendState({ pushState, ...change }: StateChange, committedAt: number | undefined): Promise<void> | undefined {
    this.#ping?.refresh();
    const flowing = this.#res.write(`event: state\nid: ${pushState}\ndata: ${JSON.stringify(change)}\n\n`);
    this.#deps.events.pushSent({ channel: "eventsource", lagSeconds: lagSeconds(committedAt) });
    if (this.#parameters.closeAfterState) this.close();
    else if (!flowing) return drained(this.#res);
    return undefined;
  }

  /** A full socket shows that the client is alive, and must not be filled further. */
  #sendPing(): void {
    if (!this.#res.headersSent || this.#res.writableNeedDrain) return;
    this.#res.write(`event: ping\ndata: {"interval":${this.#parameters.ping}}\n\n`);
  }
}

/** Never resolves if the client goes away: then nothing more is to be sent. */
async function drained(res: ServerResponse): Promise<void> {
  await once(res, "drain");
}
