import WebSocket from "ws";
import type { Client } from "./client.ts";
import { Inbox } from "./inbox.ts";
import { type Invocation, type JmapResponse, type Json, type StateChange, webSocket } from "./types.ts";

/** A request-level error that came over the socket (RFC 8887 §4.3.3). */
export class SocketRequestError extends Error {
  readonly problem: Json;
  constructor(problem: Json) {
    super(`${String(problem.type)} ${String(problem.detail ?? "")}`.trim());
    this.name = "SocketRequestError";
    this.problem = problem;
  }
}

type Pending = { resolve: (response: JmapResponse) => void; reject: (error: Error) => void };

/** RFC 8887 over one connection. */
export class JmapSocket {
  readonly socket: WebSocket;
  /** Messages that belong to no request: errors without a requestId, and messages that RFC 8887 does not define. */
  readonly strays = new Inbox<Json>();
  /** Resolves with the close code once the connection is gone. */
  readonly closed: Promise<number>;
  /** Called with every text frame that is sent: for reports. */
  onSend: ((text: string) => void) | undefined;
  readonly #client: Client;
  readonly #pending = new Map<string, Pending>();
  readonly #pushes = new Inbox<{ change: StateChange; at: number }>();
  #count = 0;

  constructor(client: Client, socket: WebSocket) {
    this.#client = client;
    this.socket = socket;
    socket.on("message", (data) => this.#receive(JSON.parse(String(data)) as Json));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", (code) => {
        const reason = new Error(`the WebSocket was closed with ${code}`);
        for (const { reject } of this.#pending.values()) reject(reason);
        this.#pushes.end(reason);
        this.strays.end(reason);
        resolve(code);
      });
    });
  }

  #receive(message: Json): void {
    if (message["@type"] === "StateChange") {
      this.#pushes.put({ change: message as StateChange, at: performance.now() });
      return;
    }
    const id = String(message.requestId);
    const pending = this.#pending.get(id);
    if (!pending) {
      this.strays.put(message);
      return;
    }
    this.#pending.delete(id);
    if (message["@type"] === "Response") pending.resolve(message as unknown as JmapResponse);
    else pending.reject(new SocketRequestError(message));
  }

  /** Sends a text frame unchanged. */
  send(message: string | Json): void {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.onSend?.(text);
    this.socket.send(text);
  }

  response(methodCalls: readonly Invocation[], using = this.#client.using, more: Json = {}): Promise<JmapResponse> {
    const id = `r${++this.#count}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.send({ "@type": "Request", id, using, methodCalls, ...more });
    });
  }

  async request(methodCalls: readonly Invocation[], using?: string[]): Promise<Invocation[]> {
    return (await this.response(methodCalls, using)).methodResponses;
  }

  /** Null subscribes to every type. There is no answer; for a known old `pushState` the server pushes what was missed. */
  enablePush(types: string[] | null = null, pushState?: string): void {
    this.send({ "@type": "WebSocketPushEnable", dataTypes: types, ...(pushState !== undefined && { pushState }) });
  }

  disablePush(): void {
    this.send({ "@type": "WebSocketPushDisable" });
  }

  async nextPush(timeoutMs = 5000): Promise<StateChange> {
    return (await this.nextPushTimed(timeoutMs)).change;
  }

  /** The next push, with the `performance.now()` of its arrival. */
  nextPushTimed(timeoutMs = 5000): Promise<{ change: StateChange; at: number }> {
    return this.#pushes.next(timeoutMs, "push");
  }

  /** Takes the pushes that have arrived and were not taken yet. */
  drainPushes(): StateChange[] {
    return this.#pushes.drain().map(({ change }) => change);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

export function webSocketUrl(client: Client): URL {
  const url = client.session.capabilities[webSocket]?.url;
  if (typeof url !== "string") throw new Error("the session names no WebSocket URL");
  const base = new URL(client.sessionUrl);
  base.protocol = base.protocol.replace("http", "ws");
  return new URL(url, base);
}

export async function openWebSocket(client: Client): Promise<JmapSocket> {
  const socket = new WebSocket(webSocketUrl(client), "jmap", { headers: { authorization: client.authorization } });
  const connection = new JmapSocket(client, socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  if (socket.protocol !== "jmap") throw new Error("the server did not choose the subprotocol jmap");
  return connection;
}
