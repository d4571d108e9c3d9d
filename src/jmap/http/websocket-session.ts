import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Log } from "../../base/log.ts";
import type { Bus } from "../../push/bus.ts";
import { type CloseReason, type Connection, opensSame } from "../../push/connections.ts";
import { chooseTypes } from "../../push/states.ts";
import { Subscriber } from "../../push/subscriber.ts";
import { RequestError } from "../errors.ts";
import type { Octets } from "../octets.ts";
import { parseIJson } from "./json.ts";
import { jsonBytes } from "./large-json.ts";

/** With so many bytes unread by the client, we read no further requests of it. */
const highWater = 4 << 20;
/** A client that doesn't answer our close gets this long, in ms. */
const closePatience = 3_000;

export interface SessionDeps {
  bus: Bus;
  log: Log;
  /** Runs a request object of RFC 8620 §3.3 and gives its response object; throws RequestError. */
  processRequest: (login: Login, body: unknown, octets: Octets) => Promise<object>;
  /** Runs work in one of the turns that a login has; throws RequestError when it has none left. */
  inTurn: (login: string, work: (octets: Octets) => Promise<void>) => Promise<void>;
  maxSizeRequest: number;
  /** How often the client must give a sign of life, in ms. (Default: 30 000) */
  pingInterval?: number;
}

/** Looks at the credentials of the handshake again. */
export type Authenticate = () => ReturnType<Authenticator["authenticate"]>;

/** Told by a reference alone. */
export function unexpected(error: unknown, log: Log): RequestError {
  const reference = randomBytes(6).toString("hex");
  log.error({ reference, err: error }, "websocket request failed");
  return new RequestError("about:blank", 500, `unexpected error, reference ${reference}`);
}

export function throttled(): RequestError {
  return new RequestError("about:blank", 429, "Too many wrong credentials of late: try later.");
}

/** RFC 8887 §4.3.5.2 */
interface PushEnable {
  dataTypes: string[] | null;
  pushState: string | null;
}

/** RFC 8887 §4.3: one open connection. */
export class WebSocketSession implements Connection {
  readonly login: string;
  readonly #ws: WebSocket;
  readonly #deps: SessionDeps;
  readonly #accounts: number[];
  readonly #authenticate: Authenticate;
  readonly #keepalive: NodeJS.Timeout;
  #subscriber: Subscriber | undefined;
  /** What the client last asked for; null: no pushes. */
  #wanted: PushEnable | null = null;
  #switching = false;
  #inFlight = 0;
  #draining = false;
  #alive = true;
  #unread = 0;

  constructor(ws: WebSocket, deps: SessionDeps, login: Login, authenticate: Authenticate) {
    this.login = login.login;
    this.#ws = ws;
    this.#deps = deps;
    this.#accounts = login.accounts.map(({ id }) => id);
    this.#authenticate = authenticate;
    ws.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    ws.on("pong", () => this.#signOfLife());
    ws.on("ping", () => this.#signOfLife());
    ws.on("error", (error) => deps.log.debug({ reason: error.message }, "websocket failed"));
    ws.on("close", () => {
      clearInterval(this.#keepalive);
      this.#subscriber?.close();
    });
    this.#keepalive = setInterval(() => this.#keepAlive(), deps.pingInterval ?? 30_000).unref();
  }

  close(reason: CloseReason): void {
    if (reason === "revoked") this.#end(1008, "credentials changed: authenticate again");
    else {
      this.#draining = true;
      this.#subscriber?.close();
      this.#endWhenDrained();
    }
  }

  async isValid(): Promise<boolean | undefined> {
    return opensSame(await this.#authenticate(), this.login, this.#accounts);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#signOfLife();
    if (isBinary) {
      this.#end(1003, "text frames only");
      return;
    }
    if (this.#draining || !this.#isOpen()) return;
    let id: string | null = null;
    try {
      if (data.length > this.#deps.maxSizeRequest) {
        throw new RequestError(
          "limit",
          400,
          `At most ${this.#deps.maxSizeRequest} octets in a request.`,
          "maxSizeRequest",
        );
      }
      const message = parse(data);
      if (typeof message.id === "string") id = message.id;
      this.#dispatch(message, id);
    } catch (error) {
      this.#sendError(id, error);
    }
  }

  #dispatch(message: Record<string, unknown>, id: string | null): void {
    switch (message["@type"]) {
      case "Request":
        if (message.id !== undefined && id === null) throw notRequest("The id of a request is a string.");
        void this.#answer(message, id);
        break;
      case "WebSocketPushEnable":
        this.#switchPush(readPushEnable(message));
        break;
      case "WebSocketPushDisable":
        this.#switchPush(null);
        break;
      default:
        throw notRequest("Its @type is none that a client may send.");
    }
  }

  async #answer(message: Record<string, unknown>, id: string | null): Promise<void> {
    this.#inFlight++;
    try {
      const { "@type": _type, id: _id, ...request } = message;
      // Looked at for each request: what the login opens may have changed since the handshake.
      const login = await this.#authenticate();
      if (login === "throttled") throw throttled();
      if (login?.login !== this.login) {
        this.#end(1008, "credentials changed: authenticate again");
        return;
      }
      // The turn lasts until the answer is taken: clients that don't read must not pile answers up.
      await this.#deps.inTurn(login.login, async (octets) => {
        const response = await this.#deps.processRequest(login, request, octets);
        const whole = { "@type": "Response", ...(id !== null && { requestId: id }), ...response };
        await this.#send(await jsonBytes(whole, octets.taken));
      });
    } catch (error) {
      this.#sendError(id, error);
    } finally {
      this.#inFlight--;
      if (this.#draining) this.#endWhenDrained();
    }
  }

  #sendError(id: string | null, error: unknown): void {
    const problem = error instanceof RequestError ? error : unexpected(error, this.#deps.log);
    this.#send({ "@type": "RequestError", requestId: id, ...problem.toJSON() });
  }

  /** Only the last wish counts, however many come while the states are read. */
  #switchPush(wanted: PushEnable | null): void {
    this.#wanted = wanted;
    this.#subscriber?.close();
    this.#subscriber = undefined;
    if (!this.#switching) void this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    this.#switching = true;
    for (let wanted = this.#wanted; wanted !== null && this.#isOpen(); wanted = this.#wanted) {
      const { dataTypes, pushState } = wanted;
      const subscriber = new Subscriber({
        bus: this.#deps.bus,
        accountIds: this.#accounts,
        types: chooseTypes(dataTypes),
        pushState,
        send: (change) => this.#send(change),
      });
      this.#subscriber = subscriber;
      try {
        await subscriber.start();
      } catch (error) {
        this.#sendError(null, error);
      }
      if (wanted === this.#wanted) break;
    }
    this.#switching = false;
    if (!this.#isOpen()) this.#subscriber?.close();
  }

  /** A promise while the client is slow to read. */
  #send(message: object): Promise<void> | undefined {
    const json = Buffer.isBuffer(message) ? message : JSON.stringify(message);
    if (!this.#isOpen()) return undefined;
    const ws = this.#ws;
    const sent = new Promise<void>((resolve) => {
      ws.send(json, { binary: false }, () => {
        if (ws.isPaused && ws.bufferedAmount < highWater) ws.resume();
        resolve();
      });
    });
    if (ws.bufferedAmount >= highWater) ws.pause();
    return ws.bufferedAmount > 0 ? sent : undefined;
  }

  #signOfLife(): void {
    this.#alive = true;
  }

  /** A pong may wait behind what the client has yet to read; that it takes bytes is sign enough. */
  #keepAlive(): void {
    const { bufferedAmount } = this.#ws;
    const reads = bufferedAmount !== this.#unread;
    this.#unread = bufferedAmount;
    if (!this.#alive && !reads) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    this.#ws.ping();
  }

  #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  #endWhenDrained(): void {
    if (this.#inFlight === 0) this.#end(1001, "server is shutting down");
  }

  #end(code: number, reason: string): void {
    this.#subscriber?.close();
    this.#ws.resume();
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), closePatience).unref();
  }
}

function parse(data: Buffer): Record<string, unknown> {
  const message = parseIJson(data);
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw notRequest("It is no object.");
  }
  return message as Record<string, unknown>;
}

function notRequest(why: string): RequestError {
  return new RequestError("notRequest", 400, `The message is not understood. ${why}`);
}

function readPushEnable({ dataTypes = null, pushState = null }: Record<string, unknown>): PushEnable {
  if (dataTypes !== null && !(Array.isArray(dataTypes) && dataTypes.every((name) => typeof name === "string"))) {
    throw notRequest("dataTypes is a list of type names or null.");
  }
  if (pushState !== null && typeof pushState !== "string") throw notRequest("pushState is a string or null.");
  return { dataTypes: dataTypes as string[] | null, pushState };
}
