import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { createAuthenticator } from "../../src/auth/authenticator.ts";
import { hashPassword } from "../../src/auth/secrets.ts";
import { OwnCounts, OwnPlaceLimit } from "../../src/base/own-counts.ts";
import { joiningOf } from "../../src/cli/joining.ts";
import { Proxies } from "../../src/jmap/http/address.ts";
import { processRequest } from "../../src/jmap/http/api.ts";
import type { HttpDeps } from "../../src/jmap/http/deps.ts";
import { createEventSource } from "../../src/jmap/http/eventsource.ts";
import { Concurrency } from "../../src/jmap/http/limits.ts";
import { createHttpServer } from "../../src/jmap/http/server.ts";
import { createWebSocketUpgrade } from "../../src/jmap/http/websocket.ts";
import { methods } from "../../src/jmap/methods.ts";
import { createRegistry } from "../../src/jmap/registry.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { createAccount } from "../../src/store/directory/directory.ts";
import { createDefaultMailboxes } from "../../src/store/mail/mailboxes.ts";
import { Oauth } from "../../src/web/oauth/server.ts";
import { WebSessions } from "../../src/web/session.ts";
import { afterwards } from "./afterwards.ts";
import { createFuzzHost } from "./fuzz-world.ts";

/** Login and password of the account. */
export const known = { user: "ada@here.test", password: "correct horse" };
export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Without its Content-Encoding. */
  body: Buffer;
}

export interface HttpWorld {
  port: number;
  deps: HttpDeps;
  account: number;
  failures: unknown[];
  /** Sends a GET with these header lines unchanged; returns the whole answer, or its head if it is endless. */
  get(path: string, headers: [name: string, value: string][], method?: string): Promise<RawAnswer>;
}

/** All endpoints with real services and real authentication, and one account. */
export async function createHttpWorld(): Promise<HttpWorld> {
  const { services, failures } = await createFuzzHost();
  const { store, clock, log, events } = services;
  const bus = new ProcessBus({ store, log, sweepIntervalMs: 60_000 });
  store.onCommit = (change) => bus.publish(change);
  const passwordHash = await hashPassword(known.password);
  const account = await createAccount(store, { address: known.user, passwordHash, fill: createDefaultMailboxes });
  const counts = new OwnCounts({ clock });
  const authenticator = createAuthenticator({ store, clock, log, counts });
  const { authenticate } = authenticator;
  bus.onRevoked((login) => authenticator.forget(login));
  Object.assign(services, { bus, authenticator });
  // The tests act as proxies.
  const proxies = new Proxies({ trusted: ["127.0.0.0/8"], publicUrl: "", log });
  const { random } = services;
  const joining = joiningOf({ signUp: ["open.test"], defaultQuota: 0 }, { store, bus, random, log });
  const means = { authenticator, store, bus, clock, random, log, counts, proxies };
  const sessions = new WebSessions({ ...means, joining, site: "inbox" });
  const credentials = (req: IncomingMessage) => sessions.credentials(req);
  const oauth = new Oauth({ ...means, credentials, hostname: "mx.test" });
  const web = {
    credentials,
    resourceMetadata: (req: IncomingMessage) => oauth.resourceMetadata(req),
    serve: (req: IncomingMessage, res: ServerResponse) => sessions.serve(req, res) || oauth.serve(req, res),
  };
  const draining = new AbortController();
  const push = {
    bus,
    log,
    events,
    draining: draining.signal,
    authenticate,
    credentials: web.credentials,
    resourceMetadata: web.resourceMetadata,
    proxies,
    places: new OwnPlaceLimit(10_000),
  };
  const deps: HttpDeps = {
    services,
    registry: createRegistry(methods),
    requests: new Concurrency("maxConcurrentRequests", new OwnPlaceLimit(100)),
    uploads: new Concurrency("maxConcurrentUpload", new OwnPlaceLimit(100)),
    publicUrl: "",
    pushUrl: "",
    hostname: "mx.test",
    isPushPaused: false,
    relaxedUsing: false,
    authenticator,
    proxies,
    ready: async () => ({ isReady: true, text: "ready\n" }),
    isJmapServed: true,
    web,
    push: {
      eventSource: createEventSource(push),
      upgrade: createWebSocketUpgrade({
        ...push,
        random: services.random,
        trustedOrigins: [],
        maxSizeRequest: services.limits.maxSizeRequest,
        processRequest: (...request) => processRequest(deps, ...request),
        inTurn: (login, connection, work) => deps.requests.run(login, connection, () => services.octets.leased(work)),
        arrivals: services.octets.arrivals,
      }),
    },
  };
  const server = createHttpServer(deps);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  afterwards(async () => {
    draining.abort();
    server.closeAllConnections();
    server.close();
    await bus.close();
  });
  return { port, deps, account, failures, get: (path, headers, method = "GET") => ask(port, method, path, headers) };
}

function ask(port: number, method: string, path: string, headers: [string, string][]): Promise<RawAnswer> {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: here.test\r\nConnection: close\r\n${lines}\r\n`, "latin1");
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = () => {
      const answer = read(Buffer.concat(chunks));
      if (answer) resolve(answer);
      else reject(new Error(`no answer to ${method} ${path} ${lines}`));
    };
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (!/^content-type: text\/event-stream/im.test(chunks[0]!.toString("latin1"))) return;
      finish();
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("end", finish);
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end of ${method} ${path} ${lines}`)));
  });
}

function read(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.toString("latin1", 0, Math.max(end, 0)).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  if (!(status >= 100)) return undefined;
  const pairs = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 2),
  ]);
  const headers = Object.fromEntries(pairs) as IncomingHttpHeaders;
  const body = bytes.subarray(end + 4);
  const encoding = headers["content-encoding"];
  if (body.length === 0) return { status, headers, body };
  return { status, headers, body: encoding === "br" ? brotliDecompressSync(body) : encoding ? gunzipSync(body) : body };
}
