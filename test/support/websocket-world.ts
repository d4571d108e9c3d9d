import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import type { Login } from "../../src/auth/login.ts";
import { FairTurns } from "../../src/base/fair-turns.ts";
import { silentLog } from "../../src/base/log.ts";
import { OwnPlaceLimit } from "../../src/base/own-counts.ts";
import { Arrivals } from "../../src/jmap/arrivals.ts";
import { Proxies } from "../../src/jmap/http/address.ts";
import { gate } from "../../src/jmap/http/gate.ts";
import { createWebSocketUpgrade, type WebSocketDeps } from "../../src/jmap/http/websocket.ts";
import { OctetPool, type Octets } from "../../src/jmap/octets.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { pushedTypes } from "../../src/push/states.ts";
import type { Store } from "../../src/store/core/store.ts";
import { keepEvents } from "./events.ts";

const login: Login = {
  login: "ann@example.org",
  userId: 1,
  credential: "token:7",
  accounts: [{ id: 1, name: "ann@example.org", isPersonal: true, isReadOnly: false }],
};

type Message = Record<string, unknown>;

/** A connection whose messages are read one by one. */
interface Conversation {
  client: WebSocket;
  send(message: unknown): void;
  next(): Promise<Message>;
  closed: Promise<{ code: unknown; reason: string }>;
}

/** A request that is answered with itself. */
export const echo = { using: ["urn:ietf:params:jmap:core"], methodCalls: [["Core/echo", { a: 1 }, "0"]] };

/** The WebSocket part of a server, new for each test of a file. Its clients are of one login. */
export class WebSocketWorld {
  bus!: ProcessBus;
  deps!: WebSocketDeps;
  draining!: AbortController;
  heard!: ReturnType<typeof keepEvents>;
  server!: Server;
  url!: string;
  /** Answers requests. */
  work!: (body: Message, octets: Octets) => Promise<object>;
  /** The account's modseq. */
  modseq = 5;
  /** Whether the login's credential is no longer valid. */
  revoked = false;
  /** User-Agent of each request. */
  agents: (string | undefined)[] = [];
  warnings: object[] = [];
  #clients: WebSocket[] = [];

  constructor() {
    beforeEach(() => this.#start());
    afterEach(() => this.#stop());
  }

  async #start(): Promise<void> {
    this.modseq = 5;
    this.revoked = false;
    [this.agents, this.warnings, this.#clients] = [[], [], []];
    this.heard = keepEvents();
    this.work = async (body) => ({ methodResponses: body.methodCalls, sessionState: "s" });
    this.bus = new ProcessBus({ store: this.#store(), log: silentLog });
    this.draining = new AbortController();
    this.server = createServer();
    gate(this.server, new FairTurns());
    this.deps = this.#deps();
    this.server.on("upgrade", createWebSocketUpgrade(this.deps));
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.url = `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/jmap/ws`;
  }

  async #stop(): Promise<void> {
    for (const client of this.#clients) client.terminate();
    this.server.close();
    await this.bus.close();
  }

  #store(): Store {
    const standing = async () => ({
      epoch: 1,
      modseq: this.modseq,
      newest: Object.fromEntries(pushedTypes.map((type) => [type, this.modseq])),
    });
    return { reader: () => ({ standing }) } as unknown as Store;
  }

  #deps(): WebSocketDeps {
    return {
      bus: this.bus,
      log: { ...silentLog, warn: (fields: object) => void this.warnings.push(fields) },
      events: this.heard.events,
      draining: this.draining.signal,
      authenticate: async (header) => {
        if (header === "Bearer busy") return "throttled";
        return (header === "Bearer good" || header === "Basic good") && !this.revoked ? login : undefined;
      },
      random: randomBytes,
      processRequest: (_login, body, octets, agent) => {
        this.agents.push(agent);
        return this.work(body as Message, octets);
      },
      inTurn: (_login, _connection, run) => new OctetPool(10_000_000, 10_000_000).leased(run),
      arrivals: new Arrivals(10_000_000, 10_000_000),
      proxies: new Proxies({ trusted: [], publicUrl: "", log: silentLog }),
      trustedOrigins: ["https://webmail.example"],
      maxSizeRequest: 100_000,
      places: new OwnPlaceLimit(2),
    };
  }

  /** A client that has not connected yet, and ends with the test. */
  connect(options: { protocols?: string[]; token?: string } & ClientOptions = {}): WebSocket {
    const { protocols = ["jmap"], token = "good", ...more } = options;
    const headers = { Authorization: `Bearer ${token}`, "User-Agent": "Mailer/1" };
    const client = new WebSocket(this.url, protocols, { headers, ...more });
    this.#clients.push(client);
    client.on("error", () => {});
    return client;
  }

  async open(): Promise<Conversation> {
    const client = this.connect();
    const queue: Message[] = [];
    const waiting: ((message: Message) => void)[] = [];
    client.on("message", (data, isBinary) => {
      expect(isBinary).toBe(false);
      const message = JSON.parse(String(data)) as Message;
      const wake = waiting.shift();
      if (wake) wake(message);
      else queue.push(message);
    });
    await once(client, "open");
    return {
      client,
      send: (message) => client.send(typeof message === "string" ? message : JSON.stringify(message)),
      next: () => {
        const message = queue.shift();
        return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
      },
      closed: once(client, "close").then(([code, reason]) => ({ code, reason: String(reason) })),
    };
  }

  /** The answer to a client that is refused. */
  async refusal(client: WebSocket) {
    const [, response] = await once(client, "unexpected-response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    return { status: response.statusCode, headers: response.headers, body };
  }
}
