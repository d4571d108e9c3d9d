import { randomBytes } from "node:crypto";
import { createAuthenticator } from "../../src/auth/authenticator.ts";
import type { Login } from "../../src/auth/login.ts";
import { silentEvents } from "../../src/base/events.ts";
import { encodeId, idPrefix } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { OwnCounts } from "../../src/base/own-counts.ts";
import { capabilities } from "../../src/jmap/capability-names.ts";
import { type DispatchResult, dispatch } from "../../src/jmap/dispatch.ts";
import { defaultLimits, type Method, octetPool, type Services } from "../../src/jmap/method.ts";
import type { Invocation } from "../../src/jmap/references.ts";
import { createRegistry } from "../../src/jmap/registry.ts";
import { ReturnPaths } from "../../src/mail/feedback/return-path.ts";
import { Learner } from "../../src/mail/scan/learner.ts";
import type { WebPush } from "../../src/push/webpush/webpush.ts";
import type { Store } from "../../src/store/core/store.ts";
import { testScanners } from "./scanners.ts";

/** Services for tests of methods that need no more than the store. */
export function testServices(store: Store, extra: Partial<Services> = {}): Services {
  const services: Partial<Services> = {
    store,
    returnPaths: new ReturnPaths(store.database),
    clock: store.clock,
    random: randomBytes,
    log: silentLog,
    events: silentEvents,
    limits: defaultLimits,
    octets: octetPool(defaultLimits),
    bus: { publish: () => {} },
    authenticator: createAuthenticator({
      store,
      clock: store.clock,
      log: silentLog,
      counts: new OwnCounts({ clock: store.clock }),
    }),
    newAppPasswords: new OwnCounts({ clock: store.clock }).rateLimit("", { max: 1000, windowMs: 1 }),
    unsubscribes: new OwnCounts({ clock: store.clock }).rateLimit("", { max: 1000, windowMs: 1 }),
    poster: { post: () => Promise.reject(new Error("this test posts nothing")) },
    webPush: { applicationServerKey: "key" } as WebPush,
    scanners: testScanners(),
    hasSendingLimits: false,
    keepDeletedForMs: 30 * 24 * 3_600_000,
    learner: new Learner({ store, blobs: extra.blobs!, log: silentLog, rspamd: undefined }),
    ...extra,
  };
  return services as Services;
}

export function testLogin(accountIds: number[], extra: Partial<Login> = {}): Login {
  const accounts = accountIds.map((id, index) => ({
    id,
    name: `user${id}`,
    isPersonal: index === 0,
    isReadOnly: false,
  }));
  return { login: "test", userId: accountIds[0] ?? 0, accounts, credential: "password", ...extra };
}

type Args = Record<string, unknown>;

/** Calls methods as a request would, without HTTP. */
export class TestClient {
  readonly services: Services;
  readonly login: Login;
  readonly account: string;
  readonly #registry;

  constructor(methods: readonly Method[], services: Services, login: Login) {
    this.services = services;
    this.login = login;
    this.account = encodeId(idPrefix.account, login.accounts[0]!.id);
    this.#registry = createRegistry(methods);
  }

  async request(calls: Invocation[], createdIds: Record<string, string> = {}): Promise<DispatchResult> {
    const using = new Set(Object.values(capabilities));
    return this.services.octets.leased((octets) =>
      dispatch(this.#registry, this.services, { login: this.login, using, calls, createdIds, octets }),
    );
  }

  /** Makes one call, with the account filled in; returns the arguments of its response or error. */
  async call(name: string, args: Args = {}): Promise<Args> {
    const { responses } = await this.request([[name, { accountId: this.account, ...args }, "c"]]);
    return responses[0]![1];
  }
}
