import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Inbox } from "../client/inbox.ts";

export type Push = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };

/** A URL that the server under test may POST to, and what it received. */
export class PushEndpoint {
  readonly url: string;
  readonly path: string;
  /** The endpoint's answer to each POST. */
  status = 201;
  readonly #inbox = new Inbox<Push>();

  constructor(url: string) {
    this.url = url;
    this.path = new URL(url).pathname;
  }

  put(push: Push): void {
    this.#inbox.put(push);
  }

  next(timeoutMs = 10_000): Promise<Push> {
    return this.#inbox.next(timeoutMs, "push");
  }

  drain(): Push[] {
    return this.#inbox.drain();
  }
}

/** The push service of the run: an HTTP server that the server under test pushes to. */
export class PushListener {
  /** The start of every endpoint's URL. */
  readonly base: string;
  readonly #server: Server;
  readonly #endpoints = new Map<string, PushEndpoint>();
  #count = 0;

  private constructor(server: Server, base: string) {
    this.#server = server;
    this.base = base;
  }

  /**
   * `base` is the URL by which the server under test reaches this listener, if it is not host and port. With a
   * certificate and its key (PEM) it speaks TLS.
   */
  static async start(
    host: string,
    port: number,
    base?: string,
    tls?: { cert: string; key: string },
  ): Promise<PushListener> {
    const server = tls ? createTlsServer(tls) : createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    const listener = new PushListener(server, base ?? `${tls ? "https" : "http"}://${host}:${bound}`);
    listener.#serve();
    return listener;
  }

  #serve(): void {
    this.#server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => {});
      request.on("end", () => {
        const path = new URL(request.url ?? "/", "http://listener").pathname;
        const endpoint = this.#endpoints.get(path);
        response.writeHead(endpoint?.status ?? 404).end();
        const { method = "", headers } = request;
        endpoint?.put({ method, path, headers, body: Buffer.concat(chunks) });
      });
    });
  }

  endpoint(): PushEndpoint {
    const url = new URL(`push/${++this.#count}-${Math.random().toString(36).slice(2)}`, `${this.base}/`);
    const endpoint = new PushEndpoint(url.href);
    this.#endpoints.set(endpoint.path, endpoint);
    return endpoint;
  }

  forget(endpoint: PushEndpoint): void {
    this.#endpoints.delete(endpoint.path);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
