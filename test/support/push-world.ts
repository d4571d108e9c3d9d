import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { Login } from "../../src/auth/login.ts";
import { silentEvents } from "../../src/base/events.ts";
import { encodeId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { methods } from "../../src/jmap/methods.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { WebPush, type WebPushOptions } from "../../src/push/webpush/webpush.ts";
import { Kind, type TypeName } from "../../src/store/core/change.ts";
import type { Database } from "../../src/store/core/database.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { Store } from "../../src/store/core/store.ts";
import { createAccount } from "../../src/store/directory/directory.ts";
import { TestClient, testLogin, testServices } from "./jmap.ts";
import { createTestDatabase } from "./postgres.ts";
import { type PushService, startPushService } from "./push.ts";

type Json = Record<string, unknown>;

export const day = 24 * 3_600_000;
export const patient = { timeout: 10_000, interval: 5 };

/** The push part of one server process on the database. */
export interface PushProcess {
  store: Store;
  bus: ProcessBus;
  webPush: WebPush;
  client(login: Login): TestClient;
  stop(): Promise<void>;
}

/** A database and a push service for the test file; each test gets a new account, login and process. */
export class PushWorld {
  database!: Database;
  service!: PushService;
  server!: PushProcess;
  login!: Login;
  client!: TestClient;
  /** How far the clock is ahead, in ms. */
  shift = 0;
  readonly clock = { now: () => new Date(Date.now() + this.shift) };
  readonly #running = new Set<PushProcess>();
  #count = 0;

  constructor() {
    beforeAll(async () => {
      this.database = (await createTestDatabase()).database;
      this.service = await startPushService();
    });
    beforeEach(async () => {
      await this.#begin();
      return () => this.#end();
    });
    afterAll(() => this.service?.close());
  }

  async #begin(): Promise<void> {
    this.shift = 0;
    this.service.pushes.length = 0;
    this.service.answers.length = 0;
    this.server = await this.startProcess(`process ${++this.#count}`);
    const address = `push${this.#count}@home.test`;
    this.login = testLogin([await createAccount(this.server.store, { address, passwordHash: "" })], { login: address });
    this.client = this.server.client(this.login);
  }

  async #end(): Promise<void> {
    for (const process of this.#running) await process.stop();
    await this.database.run(unprepared("-- crosses accounts\nDELETE FROM push_subscription"));
  }

  async startProcess(name: string, extra: Partial<WebPushOptions> = {}): Promise<PushProcess> {
    const { database, clock } = this;
    const store = new Store({ database, clock, log: silentLog });
    const bus = new ProcessBus({ store, log: silentLog, sweepIntervalMs: 60_000 });
    store.onCommit = (change) => bus.publish(change);
    const resolver = { resolve4: async () => [], resolve6: async () => [] } as unknown as WebPushOptions["resolver"];
    const webPush = await WebPush.open({
      store,
      bus,
      clock,
      resolver,
      random: randomBytes,
      log: silentLog,
      events: silentEvents,
      holder: { name, isGone: () => false },
      allowPrivateTargets: true,
      contact: "mailto:postmaster@home.test",
      intervalMs: 50,
      ...extra,
      pace: { restMs: 20, retriesMs: [20], ...extra.pace },
    });
    webPush.start();
    const started: PushProcess = {
      store,
      bus,
      webPush,
      client: (login) => new TestClient(methods, testServices(store, { clock, webPush }), login),
      stop: async () => {
        this.#running.delete(started);
        await webPush.close();
        await bus.close();
      },
    };
    this.#running.add(started);
    return started;
  }

  async call(name: string, args: Json, by = this.client): Promise<Json> {
    const { responses } = await by.request([[`PushSubscription/${name}`, args, "c"]]);
    return responses[0]![1];
  }

  async create(fields: Json, by = this.client): Promise<{ id: string } & Json> {
    const { created, notCreated } = await this.call(
      "set",
      { create: { a: { deviceClientId: "device", ...fields } } },
      by,
    );
    expect(notCreated).toBeNull();
    return (created as { a: { id: string } & Json }).a;
  }

  async update(id: string, patch: Json, by = this.client): Promise<Json | null> {
    const { updated, notUpdated } = await this.call("set", { update: { [id]: patch } }, by);
    expect(notUpdated).toBeNull();
    return (updated as Record<string, Json | null>)[id]!;
  }

  /** A subscription that its client has verified. */
  async subscribe(path: string, fields: Json = {}, by = this.client): Promise<string> {
    const { id } = await this.create({ url: this.service.url + path, ...fields }, by);
    await this.update(id, { verificationCode: await this.service.code(path) }, by);
    return id;
  }

  /** Changes objects of these types, as HTTP or SMTP would. */
  async change(...types: TypeName[]): Promise<void> {
    await this.server.store.write(this.login.userId, "server", async (tx) => {
      for (const type of types) tx.changed({ type, id: 1, kind: Kind.properties });
    });
  }

  get account(): string {
    return encodeId("u", this.login.userId);
  }

  state(type: TypeName): Promise<string> {
    return this.server.store.reader(this.login.userId, "server").state(type);
  }

  async exists(id: string): Promise<boolean> {
    return ((await this.call("get", { ids: [id] })).list as unknown[]).length === 1;
  }

  /** The StateChanges that were pushed to this path. */
  changesAt(path: string): Json[] {
    return this.service.messages(path).filter((message) => message["@type"] === "StateChange");
  }
}
