import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Login } from "../../src/auth/login.ts";
import { encodeId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { OwnPlaceLimit } from "../../src/base/own-counts.ts";
import { RequestError } from "../../src/jmap/errors.ts";
import { Proxies } from "../../src/jmap/http/address.ts";
import type { HttpDeps } from "../../src/jmap/http/deps.ts";
import { Concurrency } from "../../src/jmap/http/limits.ts";
import { createHttpServer } from "../../src/jmap/http/server.ts";
import { defaultLimits } from "../../src/jmap/method.ts";
import { methods } from "../../src/jmap/methods.ts";
import { createRegistry } from "../../src/jmap/registry.ts";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { Blobs } from "../../src/store/blobs/blobs.ts";
import { DiskObjects } from "../../src/store/blobs/objects/disk.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { afterwards } from "./afterwards.ts";
import { testLogin, testServices } from "./jmap.ts";
import { createTestAccount, createTestStore } from "./postgres.ts";

export const owner = { Authorization: "Bearer good" };
/** May open the owner's account, beside one of its own. */
export const guest = { Authorization: "Bearer guest" };
export const throttled = { Authorization: "Bearer often" };

/** An account that was removed, although a login still names it. */
export const removed = encodeId("u", 987_654);

export interface Endpoints {
  deps: HttpDeps;
  server: Server;
  url: string;
  /** The owner's account. */
  account: string;
  /** The guest's account. */
  other: string;
  /** An account of the owner with a quota of ten octets. */
  full: string;
}

/** All HTTP endpoints on a real store, with small limits and logins by fixed tokens; gone after the test file. */
export async function createEndpoints(): Promise<Endpoints> {
  const folder = await mkdtemp(join(tmpdir(), "posthorn-http-"));
  const store = await createTestStore();
  const login = testLogin([await createTestAccount(store), await createTestAccount(store)]);
  const { id: fullId } = login.accounts[1]!;
  await store.write(fullId, "server", (tx) => setQuota(tx, 10));
  const otherId = await createTestAccount(store);
  const visitor = testLogin([otherId, login.userId, 987_654], { login: "guest" });
  const logins = new Map<string | undefined, Login | "throttled">([
    [owner.Authorization, login],
    [guest.Authorization, visitor],
    [throttled.Authorization, "throttled"],
  ]);
  const limits = { ...defaultLimits, maxSizeRequest: 5000, maxSizeUpload: 10_000, maxCallsInRequest: 3 };
  const services = testServices(store, { limits });
  const objects = new DiskObjects({ folder, clock: store.clock, random: services.random });
  services.blobs = new Blobs({ objects, clock: store.clock, cacheBytes: 0 });
  services.ingest = new Ingest(store);
  const deps: HttpDeps = {
    services,
    registry: createRegistry(methods),
    requests: new Concurrency("maxConcurrentRequests", new OwnPlaceLimit(limits.maxConcurrentRequests)),
    uploads: new Concurrency("maxConcurrentUpload", new OwnPlaceLimit(limits.maxConcurrentUpload)),
    publicUrl: "",
    pushUrl: "",
    hostname: "mx.test",
    isPushPaused: false,
    relaxedUsing: false,
    authenticator: { authenticate: async (header) => logins.get(header) },
    proxies: new Proxies({ trusted: ["127.0.0.1/32"], publicUrl: "", log: silentLog }),
    ready: async () => ({ isReady: true, text: "ready\n" }),
    isJmapServed: true,
    push: {
      upgrade: (_req, socket) => void socket.destroy(),
      eventSource: async () => {
        throw new RequestError("about:blank", 404, "There is no event source.");
      },
    },
  };
  const server = await listening(deps);
  afterwards(() => rm(folder, { recursive: true }));
  const id = (userId: number) => encodeId("u", userId);
  return {
    deps,
    server,
    url: `http://127.0.0.1:${portOf(server)}`,
    account: id(login.userId),
    other: id(otherId),
    full: id(fullId),
  };
}

/** A server on a free port of loopback, closed after the test file. */
export async function listening(deps: HttpDeps): Promise<Server> {
  const server = createHttpServer(deps).listen(0, "127.0.0.1");
  await once(server, "listening");
  afterwards(async () => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
