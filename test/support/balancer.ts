import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A process behind a balancer. */
export interface Upstream {
  readonly port: number;
  /** Its readiness. */
  readonly readyUrl: string;
}

const maxMisses = 2;
const checkEveryMs = 500;

/**
 * Spreads requests or connections over processes in turn, as a balancer in front of them does: those that are not ready get
 * none while others are, and one that stops being ready is cut off from what it has.
 */
export class Balancer {
  readonly #upstreams: readonly Upstream[];
  readonly #maxAnswerMs: number;
  readonly #server: Server;
  readonly #sockets = new Map<Upstream, Set<Socket>>();
  readonly #clients = new Set<Socket>();
  readonly #unready = new Set<Upstream>();
  /** Checks that failed, since the last that did not. */
  readonly #misses = new Map<Upstream, number>();
  readonly #timer: NodeJS.Timeout;
  #next = 0;

  /**
   * `requests`: each request by itself, over HTTP; else each connection. A process that did not say in `maxAnswerMs` that it
   * is ready, twice, is not.
   */
  constructor(kind: "requests" | "connections", upstreams: readonly Upstream[], maxAnswerMs: number) {
    this.#upstreams = upstreams;
    this.#maxAnswerMs = maxAnswerMs;
    for (const upstream of upstreams) this.#sockets.set(upstream, new Set());
    this.#server = kind === "requests" ? this.#http() : createServer((client) => void this.#join(client));
    this.#server.on("connection", (socket: Socket) => {
      this.#clients.add(socket);
      socket.on("error", () => {}).on("close", () => this.#clients.delete(socket));
    });
    this.#timer = setInterval(() => {
      for (const upstream of upstreams) void this.#check(upstream);
    }, checkEveryMs).unref();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** On a port that is free, unless one is given. */
  async listen(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of [...this.#clients, ...[...this.#sockets.values()].flatMap((some) => [...some])]) {
      socket.destroy();
    }
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  async #check(upstream: Upstream): Promise<void> {
    const options = { headers: { connection: "close" }, signal: AbortSignal.timeout(this.#maxAnswerMs) };
    const isReady = await fetch(upstream.readyUrl, options).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status === 200;
      },
      () => false,
    );
    const misses = isReady ? 0 : (this.#misses.get(upstream) ?? 0) + 1;
    this.#misses.set(upstream, misses);
    if (isReady) this.#unready.delete(upstream);
    if (misses !== maxMisses) return;
    this.#unready.add(upstream);
    // When none is ready, each still says best itself what is wrong.
    if (this.#unready.size < this.#upstreams.length)
      for (const socket of this.#sockets.get(upstream)!) socket.destroy();
  }

  /** A connection to the next process that takes one. */
  async #connect(): Promise<Socket | undefined> {
    const { length } = this.#upstreams;
    const start = this.#next++;
    const inTurn = this.#upstreams.map((_, at) => this.#upstreams[(start + at) % length]!);
    const ready = inTurn.filter((upstream) => !this.#unready.has(upstream));
    for (const upstream of ready.length > 0 ? ready : inTurn) {
      const socket = connect({ port: upstream.port, host: "127.0.0.1", noDelay: true });
      const open = this.#sockets.get(upstream)!;
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket));
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true)).once("close", () => resolve(false));
      });
      if (isOpen) return socket;
    }
    return undefined;
  }

  async #join(client: Socket, head = ""): Promise<void> {
    client.pause();
    const inner = await this.#connect();
    if (!inner || client.destroyed) {
      inner?.destroy();
      client.destroy();
      return;
    }
    if (head !== "") inner.write(head, "latin1");
    client.pipe(inner).pipe(client);
    client.on("close", () => inner.destroy());
    inner.on("close", () => client.destroy());
  }

  #http(): Server {
    const server = createHttpServer((req, res) => void this.#forward(req, res));
    server.keepAliveTimeout = 0;
    server.on("upgrade", (req: IncomingMessage, client: Socket) => {
      const lines = [
        `${req.method} ${req.url} HTTP/1.1`,
        ...pairs(req.rawHeaders).map(([name, value]) => `${name}: ${value}`),
      ];
      void this.#join(client, `${lines.join("\r\n")}\r\n\r\n`);
    });
    return server;
  }

  async #forward(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const socket = await this.#connect();
    const fail = () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502, { connection: "close" }).end();
    };
    if (!socket) return fail();
    const headers = [...passedOn(req.rawHeaders), "connection", "close"];
    const out = request({ createConnection: () => socket, method: req.method, path: req.url, headers });
    out.on("response", (answer) => {
      res.writeHead(answer.statusCode!, passedOn(answer.rawHeaders));
      res.flushHeaders();
      answer.pipe(res);
      answer.on("close", () => {
        if (!answer.complete) res.destroy();
      });
    });
    out.on("error", () => {
      if (!res.writableEnded) fail();
    });
    res.on("close", () => socket.destroy());
    req.pipe(out);
  }
}

const pairs = (raw: string[]): [string, string][] =>
  Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at]!, raw[2 * at + 1]!]);

/** RFC 9110 §7.6.1: what is about one connection is not for the next. */
const passedOn = (raw: string[]) =>
  pairs(raw)
    .filter(([name]) => !/^(connection|keep-alive)$/i.test(name))
    .flat();
