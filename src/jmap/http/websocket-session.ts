import type { WebSocket } from "ws";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Ending } from "../../base/ending.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import { traced } from "../../base/traces.ts";
import type { Bus } from "../../push/bus.ts";
import { type CloseReason, type Connection, opensSame } from "../../push/connections.ts";
import { chooseTypes, lagSeconds, type StateChange } from "../../push/states.ts";
import { Subscriber } from "../../push/subscriber.ts";
import type { Arrival, Arrivals } from "../arrivals.ts";
import { RequestError } from "../errors.ts";
import type { Services } from "../method.ts";
import type { Octets } from "../octets.ts";
import { needMail } from "../scopes.ts";
import { FramePieces, type PartialMessage } from "./frames.ts";
import type { Gate } from "./gate.ts";
import { parseIJson } from "./json.ts";
import { jsonBytes } from "./large-json.ts";
import { asRefusal, throttled, tooLarge, tooManyOctets } from "./refusals.ts";

/** A message this far over maxSizeRequest is still answered; beyond it the connection closes with 1009. */
export const sizeGrace = 1 << 20;
/** The connection ends after so many messages in a row that are not requests. */
const maxNonsense = 100;
/** How long a message may take to arrive whole, plus a millisecond for every `minOctetsPerMs` octets received. */
const messageTimeoutMs = 30_000;
const minOctetsPerMs = 8;
/** How long a client that does not take its answers is waited for when the server stops. */
const drainTimeoutMs = 10_000;
/** How long a client's answer to our close is waited for. */
const closeTimeoutMs = 3_000;
/** How long a close that needs no answer is given to reach the client. */
const cutOffTimeoutMs = 100;

export interface SessionDeps {
  bus: Bus;
  log: Log;
  events: Events;
  random: Services["random"];
  /** Answers a request object of RFC 8620 §3.3 with its response object; throws RequestError. */
  processRequest: (login: Login, body: unknown, octets: Octets, agent: string | undefined) => Promise<object>;
  /** Runs `work` as one of the login's requests under way; throws RequestError if it has too many. */
  inTurn: (login: string, connection: object, work: (octets: Octets) => Promise<void>) => Promise<void>;
  /** Counts the octets of requests on all connections. */
  arrivals: Arrivals;
  maxSizeRequest: number;
  /** How long a message may take to arrive whole, in ms; large ones get more. (Default: 30 000) */
  messageTimeoutMs?: number;
  /** How often the client must show that it is alive, in ms. (Default: 30 000) */
  pingIntervalMs?: number;
}

/** A WebSocket, the gate that it reads through, and the User-Agent of its handshake. */
export interface Line {
  ws: WebSocket;
  gate: Gate;
  agent: string | undefined;
}

/** Authenticates again with the credentials of the handshake. */
export type Authenticate = () => ReturnType<Authenticator["authenticate"]>;

/** RFC 8887 §4.3.5.2 */
interface PushEnable {
  dataTypes: string[] | null;
  pushState: string | null;
}

/** RFC 8887 §4.3: an open connection. */
export class WebSocketSession implements Connection {
  readonly login: string;
  readonly #ws: WebSocket;
  readonly #gate: Gate;
  readonly #agent: string | undefined;
  readonly #deps: SessionDeps;
  readonly #accounts: number[];
  /** Throws if the credential may not hear of mail. */
  readonly #checkPush: () => void;
  readonly #authenticate: Authenticate;
  readonly #keepalive: NodeJS.Timeout;
  #subscriber: Subscriber | undefined;
  /** The client's latest choice of pushes; null for none. */
  #wanted: PushEnable | null = null;
  #switching = false;
  #inFlight = 0;
  #ending: Ending | undefined;
  #alive = true;
  #unread = 0;
  #nonsense = 0;
  /** The message that is arriving. */
  #arrival: Arrival;
  #announced = 0;
  #deadline: NodeJS.Timeout | undefined;

  constructor({ ws, gate, agent }: Line, deps: SessionDeps, login: Login, authenticate: Authenticate) {
    this.login = login.login;
    this.#ws = ws;
    this.#gate = gate;
    this.#agent = agent;
    this.#deps = deps;
    this.#accounts = login.accounts.map(({ id }) => id);
    this.#checkPush = () => needMail(login);
    this.#authenticate = authenticate;
    this.#arrival = this.#nextArrival();
    ws.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    ws.on("pong", () => this.#signOfLife());
    ws.on("ping", (data) => this.#pong(data));
    ws.on("error", (error) => deps.log.debug({ reason: error.message }, "websocket failed"));
    ws.on("close", () => {
      clearInterval(this.#keepalive);
      clearTimeout(this.#deadline);
      this.#arrival.end();
      this.#subscriber?.close();
    });
    this.#keepalive = setInterval(() => this.#keepAlive(), deps.pingIntervalMs ?? 30_000).unref();
    const pieces = new FramePieces(
      (message) => this.#mayGoOn(message),
      () => this.#arrived(),
    );
    gate.part(pieces);
    gate.reopen();
  }

  close(reason: CloseReason): void {
    if (reason === "revoked") this.#end(1008, "credentials changed: authenticate again");
    else {
      this.#ending = reason;
      this.#subscriber?.close();
      this.#endWhenDrained();
      setTimeout(() => this.#ws.terminate(), drainTimeoutMs).unref();
    }
  }

  async isValid(): Promise<boolean | undefined> {
    return opensSame(await this.#authenticate(), this.login, this.#accounts);
  }

  #nextArrival(): Arrival {
    this.#announced = 0;
    return this.#deps.arrivals.begin(this.login, () => this.#cutOff(1013, "too many octets are arriving"));
  }

  #mayGoOn(message: PartialMessage): boolean {
    this.#expectEnd(message);
    const octets = Math.min(message.mayTake, this.#deps.maxSizeRequest + sizeGrace);
    if (octets <= this.#announced) return true;
    void this.#announce(octets);
    return false;
  }

  #expectEnd(message: PartialMessage): void {
    if (this.#deadline) return;
    const begin = performance.now();
    const timeoutMs = this.#deps.messageTimeoutMs ?? messageTimeoutMs;
    const look = () => {
      const left = timeoutMs + message.arrived / minOctetsPerMs - (performance.now() - begin);
      if (left <= 0) this.#cutOff(1008, "the message took too long");
      else this.#deadline = setTimeout(look, left + 1).unref();
    };
    this.#deadline = setTimeout(look, timeoutMs).unref();
  }

  async #announce(octets: number): Promise<void> {
    this.#announced = octets;
    this.#gate.shut();
    const hasRoom = await this.#arrival.announce(octets);
    if (hasRoom && this.#isOpen()) this.#gate.reopen();
  }

  #arrived(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#signOfLife();
    const arrival = this.#arrival;
    this.#arrival = this.#nextArrival();
    const leave = this.#gate.enter();
    const done = () => {
      arrival.end();
      leave();
    };
    this.#gate.turns.take(this.#gate.seat, () => {
      const answered = this.#handle(data, isBinary, arrival);
      if (answered) answered.then(done, done);
      else done();
    });
  }

  #handle(data: Buffer, isBinary: boolean, arrival: Arrival): Promise<void> | undefined {
    if (isBinary) this.#end(1003, "text frames only");
    if (isBinary || this.#ending || !this.#isOpen()) return undefined;
    let id: string | null = null;
    try {
      if (!arrival.settle(data.length)) throw tooManyOctets();
      if (data.length > this.#deps.maxSizeRequest) throw tooLarge(this.#deps.maxSizeRequest);
      const message = parse(data);
      if (typeof message.id === "string") id = message.id;
      const answered = this.#dispatch(message, id, arrival);
      this.#nonsense = 0;
      return answered;
    } catch (error) {
      const told = this.#sendError(id, error);
      if (++this.#nonsense > maxNonsense) this.#cutOff(1008, "too many messages that are not requests");
      return told;
    }
  }

  /** Throws if the message is not one that a client may send. */
  #dispatch(message: Record<string, unknown>, id: string | null, arrival: Arrival): Promise<void> | undefined {
    switch (message["@type"]) {
      case "Request":
        if (message.id !== undefined && id === null) throw notRequest("The id of a request must be a string.");
        return traced("request", webSocketRequest, () => this.#answer(message, id, arrival));
      case "WebSocketPushEnable":
        this.#checkPush();
        this.#switchPush(readPushEnable(message));
        return undefined;
      case "WebSocketPushDisable":
        this.#switchPush(null);
        return undefined;
      default:
        throw notRequest("A client may not send a message of this @type.");
    }
  }

  async #answer(message: Record<string, unknown>, id: string | null, arrival: Arrival): Promise<void> {
    this.#inFlight++;
    try {
      const { "@type": _type, id: _id, ...request } = message;
      // Authenticated for each request: the accounts that the login opens may have changed since the handshake.
      const login = await this.#authenticate();
      if (login === "throttled") throw throttled();
      if (login === "secondFactor" || login?.login !== this.login) {
        this.#end(1008, "credentials changed: authenticate again");
        return;
      }
      // The turn lasts until the answer is taken, so clients that do not read cannot pile answers up.
      await this.#deps.inTurn(login.login, this, async (octets) => {
        const response = await this.#deps.processRequest(login, request, octets, this.#agent);
        arrival.end();
        const whole = { "@type": "Response", ...(id !== null && { requestId: id }), ...response };
        await this.#send(await jsonBytes(whole, octets.taken));
      });
    } catch (error) {
      await this.#sendError(id, error);
    } finally {
      this.#inFlight--;
      if (this.#ending) this.#endWhenDrained();
    }
  }

  #sendError(id: string | null, error: unknown): Promise<void> | undefined {
    const refusal = asRefusal(error, this.#deps);
    return this.#send({ "@type": "RequestError", requestId: id, ...refusal.toJSON() });
  }

  /** Only the latest choice counts, however many arrive while the states are read. */
  #switchPush(wanted: PushEnable | null): void {
    this.#wanted = wanted;
    this.#subscriber?.close();
    this.#subscriber = undefined;
    if (!this.#switching) this.#subscribe().catch(() => this.#ws.terminate());
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
        send: (change, committedAt) => this.#push(change, committedAt),
      });
      this.#subscriber = subscriber;
      try {
        await subscriber.start();
      } catch (error) {
        void this.#sendError(null, error);
      }
      if (wanted === this.#wanted) break;
    }
    this.#switching = false;
    if (!this.#isOpen()) this.#subscriber?.close();
  }

  #push(change: StateChange, committedAt: number | undefined): Promise<void> | undefined {
    const event = { channel: "websocket", lagSeconds: lagSeconds(committedAt) } as const;
    if (this.#isOpen()) this.#deps.events.pushSent(event);
    return this.#send(change);
  }

  /** Returns a promise while the client is slow to read. */
  #send(message: object): Promise<void> | undefined {
    const json = Buffer.isBuffer(message) ? message : JSON.stringify(message);
    if (!this.#isOpen()) return undefined;
    const sent = new Promise<void>((resolve) => this.#ws.send(json, { binary: false }, () => resolve()));
    return this.#ws.bufferedAmount > 0 ? sent : undefined;
  }

  /** A pong counts as under way until it is taken. */
  #pong(data: Buffer): void {
    this.#signOfLife();
    if (this.#isOpen()) this.#ws.pong(data, false, this.#gate.enter());
  }

  #signOfLife(): void {
    this.#alive = true;
  }

  /** A pong may wait behind data that the client has yet to read, so reading also shows that it is alive. */
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
    if (this.#inFlight > 0) return;
    if (this.#ending === "restart") this.#end(1012, "the server restarts: connect again");
    else this.#end(1001, "server is shutting down");
  }

  #end(code: number, reason: string): void {
    this.#subscriber?.close();
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), closeTimeoutMs).unref();
  }

  /** Stops reading, even the client's own close. */
  #cutOff(code: number, reason: string): void {
    this.#gate.shut();
    this.#end(code, reason);
    setTimeout(() => this.#ws.terminate(), cutOffTimeoutMs).unref();
  }
}

const webSocketRequest = () => ({ method: "WebSocket", endpoint: "api" });

function parse(data: Buffer): Record<string, unknown> {
  const message = parseIJson(data);
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw notRequest("It is not an object.");
  }
  return message as Record<string, unknown>;
}

function notRequest(why: string): RequestError {
  return new RequestError("notRequest", 400, `The message was not understood. ${why}`);
}

function readPushEnable({ dataTypes = null, pushState = null }: Record<string, unknown>): PushEnable {
  if (dataTypes !== null && !(Array.isArray(dataTypes) && dataTypes.every((name) => typeof name === "string"))) {
    throw notRequest("dataTypes must be a list of type names or null.");
  }
  if (pushState !== null && typeof pushState !== "string") throw notRequest("pushState must be a string or null.");
  return { dataTypes: dataTypes as string[] | null, pushState };
}
