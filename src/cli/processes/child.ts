import { systemClock } from "../../base/clock.ts";
import type { Ending } from "../../base/ending.ts";
import { toAll } from "../../base/events.ts";
import { thisProcess } from "../../base/holder.ts";
import { version } from "../../base/version.ts";
import type { Config } from "../../config/schema.ts";
import { createLog } from "../../ops/log.ts";
import { createMetrics, metricsListener } from "../../ops/metrics.ts";
import type { Report } from "../../ops/readiness.ts";
import { startTraces } from "../../ops/traces.ts";
import { TrafficCounts } from "../../ops/traffic.ts";
import { ProcessBus } from "../../push/bus.ts";
import { ObservedObjects } from "../../store/blobs/objects/observed.ts";
import type { ConnectionOptions } from "../../store/core/connection-options.ts";
import { Database } from "../../store/core/database.ts";
import { Store } from "../../store/core/store.ts";
import { fromSent, type SentFile } from "../../web/files.ts";
import { bodiesOf } from "../bodies.ts";
import { random } from "../command.ts";
import type { DoorName } from "../doors.ts";
import { gaugeCertificate, gaugePools } from "../gauges.ts";
import { openRedis } from "../redis.ts";
import { resolverOf } from "../resolver.ts";
import { makeParts, type Stop, startRoles, stopAll } from "../roles.ts";
import { keepHeapSmall } from "../small-heap.ts";
import { handedDoors } from "./entrance.ts";
import type { Line } from "./line.ts";
import { LineCarrier } from "./relay.ts";
import { ChildCounts } from "./shared-counts.ts";

/** What a child says of itself first. */
export interface Hello {
  version: string;
}

/** What the parent answers. */
export interface Welcome {
  /** The child's number, from 1. */
  number: number;
  /** Options that the parent has decided for the child. */
  config: Pick<Config, "roles" | "cacheBytes">;
  /** May name several hosts: each child finds the primary and the nodes for itself. */
  connection: ConnectionOptions;
  /** The most connections to each server of the database. */
  maxConnections: number;
  /** Where the parent listens. */
  ports: Partial<Record<DoorName, number>>;
}

/** Serves what the parent hands over, until the parent says that it ends or is gone. */
export async function serveAsChild(line: Line, own: Config): Promise<void> {
  const welcome = await line.ask<Welcome>("hello", { version } satisfies Hello);
  const config = { ...own, ...welcome.config };
  const log = createLog(config.logLevel, welcome.number);
  process.on("uncaughtException", (error) => {
    log.error({ err: error }, "the process failed");
    process.exit(1);
  });
  const ended = Promise.withResolvers<Ending>();
  line.hear("end", ended.resolve);
  line.onEnd(() => ended.resolve("stop"));
  // The answer shows that the event loop runs.
  line.hear("ping", () => {});
  const stops: Stop[] = [];
  await start(line, config, { welcome, stops, log });
  line.tell("serving");
  await stopAll(stops, await ended.promise, log);
}

interface Starting {
  welcome: Welcome;
  stops: Stop[];
  log: ReturnType<typeof createLog>;
}

async function start(line: Line, config: Config, { welcome, stops, log }: Starting): Promise<void> {
  const { connection, maxConnections, ports } = welcome;
  const surroundings = { clock: systemClock, resolver: resolverOf(config), random, log };
  // The parent has nothing to trace: requests, messages and attempts are its children's.
  if (config.traces !== "") {
    const instance = `${thisProcess.name} process ${welcome.number}`;
    stops.push(await startTraces({ url: config.traces, version, instance, log }));
  }
  const database = new Database({ ...connection, max: maxConnections, isReadOnly: config.readOnly }, log);
  stops.push(() => database.close());
  await database.nodes.start();
  const store = new Store({ database, clock: systemClock, log });
  const metrics = createMetrics();
  gaugePools(metrics, store);
  const traffic = new TrafficCounts({ database, clock: systemClock, log });
  stops.push(() => traffic.close());
  const events = toAll([metricsListener(metrics.registry), traffic.events]);
  line.hear("metrics", () => metrics.json());
  stops.push(async () => line.tell("last metrics", await metrics.json()));
  const redis = await openRedis(config, { ...surroundings, events });
  if (redis) stops.push(redis.close);
  const counts = redis?.counts ?? new ChildCounts(line);
  const bus = new ProcessBus({ store, log, carriers: [new LineCarrier(line)] });
  store.onCommit = (change) => bus.publish(change);
  traffic.onWritten = () => bus.publish({ watched: "mail" });
  const ready = () =>
    line.ask<Report>("ready").catch(() => ({ isReady: false, text: '{"ready":false,"server":"stopping"}\n' }));
  const doors = handedDoors(line, ports);
  // Built once, by the parent.
  const pageFiles = async () => (await line.ask<SentFile[]>("page files")).map(fromSent);
  const objects = new ObservedObjects(bodiesOf(config, { ...surroundings, events }), events);
  const foundation = {
    store,
    objects,
    bus,
    counts,
    doors,
    metrics,
    events,
    sharedCache: redis?.cache,
    ready,
    pageFiles,
  };
  const parts = await makeParts(config, surroundings, foundation);
  gaugeCertificate(metrics, parts.tls);
  stops.push(keepHeapSmall(() => parts.blobs.cachedBytes));
  stops.push(() => counts.close());
  stops.push(() => bus.close());
  stops.push(() => parts.webPush.close());
  await bus.start();
  await startRoles(config, parts, stops);
}
