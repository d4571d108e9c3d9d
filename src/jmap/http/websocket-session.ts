import type { WebSocket } from "ws";
import type { Authenticator, Login } from "../../auth/login.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { Bus } from "../../push/bus.ts";
import { type CloseReason, type Connection, opensSame } from "../../push/connections.ts";
import { chooseTypes, type StateChange } from "../../push/states.ts";
import { Subscriber } from "../../push/subscriber.ts";
import type { Arrival, Arrivals } from "../arrivals.ts";
import { RequestError } from "../errors.ts";
import type { Services } from "../method.ts";
import type { Octets } from "../octets.ts";
import { FramePieces, type PartialMessage } from "./frames.ts";
import type { Gate } from "./gate.ts";
import { parseIJson } from "./json.ts";
import { jsonBytes } from "./large-json.ts";
import { asRefusal, throttled, tooLarge, tooManyOctets } from "./refusals.ts";

/** How far over maxSizeRequest a message still gets an answer; beyond it the connection closes with 1009. */
export const sizeGrace = 1 << 20;
/** The messages in a row that are none after which the connection ends. */
const mostNonsense = 100;
/** How long, in ms, a message may take to be whole; one more for each `slowestLine` octets of it that are there. */
const messagePatience = 30_000;
const slowestLine = 8;
/** How long, in ms, a client that doesn't take its answers gets when the server stops. */
const drainPatience = 10_000;
/** How long, in ms, a client that doesn't answer our close gets. */
const closePatience = 3_000;
/** How long, in ms, a close that is not waited for has to reach the client. */
const cutOffPatience = 100;

export interface SessionDeps {
  bus: Bus;
  log: Log;
  events: Events;
  random: Services["random"];
  /** Runs a request object of RFC 8620 §3.3 and gives its response object; throws RequestError. */
  processRequest: (login: Login, body: unknown, octets: Octets, agent: string | undefined) => Promise<object>;
  /** Runs work in one of the turns that a login has; throws RequestError when it has none left. */
  inTurn: (login: string, connection: object, work: (octets: Octets) => Promise<void>) => Promise<void>;
  /** Octets on their way in, of all connections together. */
  arrivals: Arrivals;
  maxSizeRequest: number;
  /** How long a message may take to be whole, in ms; large ones get more. (Default: 30 000) */
  messagePatience?: number;
  /** How often the client must give a sign of life, in ms. (Default: 30 000) */
  pingInterval?: number;
}

/** A WebSocket, the gate through which it reads, and the User-Agent of its handshake. */
export interface Line {
  ws: WebSocket;
  gate: Gate;
  agent: string | undefined;
}

/** Looks at the credentials of the handshake again. */
export type Authenticate = () => ReturnType<Authenticator["authenticate"]>;

/** RFC 8887 §4.3.5.2 */
interface PushEnable {
  dataTypes: string[] | null;
  pushState: string | null;
}

/** RFC 8887 §4.3: one open connection. */
export class WebSocketSession implements Connection {
  readonly login: string;
  readonly #ws: WebSocket;
  readonly #gate: Gate;
  readonly #agent: string | undefined;
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
    this.#keepalive = setInterval(() => this.#keepAlive(), deps.pingInterval ?? 30_000).unref();
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
      this.#draining = true;
      this.#subscriber?.close();
      this.#endWhenDrained();
      setTimeout(() => this.#ws.terminate(), drainPatience).unref();
    }
  }

  async isValid(): Promise<boolean | undefined> {
    return opensSame(await this.#authenticate(), this.login, this.#accounts);
  }

  #nextArrival(): Arrival {
    this.#announced = 0;
    return this.#deps.arrivals.begin(this.login, () => this.#cutOff(1013, "too many octets are on their way"));
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
    const patience = this.#deps.messagePatience ?? messagePatience;
    const look = () => {
      const left = patience + message.arrived / slowestLine - (performance.now() - begin);
      if (left <= 0) this.#cutOff(1008, "the message took too long");
      else this.#deadline = setTimeout(look, left + 1).unref();
    };
    this.#deadline = setTimeout(look, patience).unref();
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
    if (isBinary || this.#draining || !this.#isOpen()) return undefined;
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
      if (++this.#nonsense > mostNonsense) this.#cutOff(1008, "too many messages that are no requests");
      return told;
    }
  }

  /** Throws where the message is none. */
  #dispatch(message: Record<string, unknown>, id: string | null, arrival: Arrival): Promise<void> | undefined {
    switch (message["@type"]) {
      case "Request":
        if (message.id !== undefined && id === null) throw notRequest("The id of a request is a string.");
        return this.#answer(message, id, arrival);
      case "WebSocketPushEnable":
        this.#switchPush(readPushEnable(message));
        return undefined;
      case "WebSocketPushDisable":
        this.#switchPush(null);
        return undefined;
      default:
        throw notRequest("Its @type is none that a client may send.");
    }
  }

  async #answer(message: Record<string, unknown>, id: string | null, arrival: Arrival): Promise<void> {
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
      if (this.#draining) this.#endWhenDrained();
    }
  }

  #sendError(id: string | null, error: unknown): Promise<void> | undefined {
    const refusal = asRefusal(error, this.#deps);
    return this.#send({ "@type": "RequestError", requestId: id, ...refusal.toJSON() });
  }

  /** Only the last wish counts, however many come while the states are read. */
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
        send: (change) => this.#push(change),
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

  #push(change: StateChange): Promise<void> | undefined {
    if (this.#isOpen()) this.#deps.events.pushSent({ channel: "websocket" });
    return this.#send(change);
  }

  /** A promise while the client is slow to read. */
  #send(message: object): Promise<void> | undefined {
    const json = Buffer.isBuffer(message) ? message : JSON.stringify(message);
    if (!this.#isOpen()) return undefined;
    const sent = new Promise<void>((resolve) => this.#ws.send(json, { binary: false }, () => resolve()));
    return this.#ws.bufferedAmount > 0 ? sent : undefined;
  }

  /** Under way until it is taken, too. */
  #pong(data: Buffer): void {
    this.#signOfLife();
    if (this.#isOpen()) this.#ws.pong(data, false, this.#gate.enter());
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
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), closePatience).unref();
  }

  /** Reads nothing more, not even the client's own close. */
  #cutOff(code: number, reason: string): void {
    this.#gate.shut();
    this.#end(code, reason);
    setTimeout(() => this.#ws.terminate(), cutOffPatience).unref();
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
