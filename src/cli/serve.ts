import { setTimeout as sleep } from "node:timers/promises";
import { toAll } from "../base/events.ts";
import { thisProcess } from "../base/holder.ts";
import { OwnCounts } from "../base/own-counts.ts";
import { version } from "../base/version.ts";
import type { Config } from "../config/schema.ts";
import { createMetrics, metricsListener } from "../ops/metrics.ts";
import { serveMetrics } from "../ops/metrics-server.ts";
import { startTraces } from "../ops/traces.ts";
import { TrafficCounts } from "../ops/traffic.ts";
import { ObservedObjects } from "../store/blobs/objects/observed.ts";
import { loadFiles } from "../web/files.ts";
import { bodiesOf } from "./bodies.ts";
import { createBus } from "./bus.ts";
import { checkBodies } from "./check-bodies.ts";
import { checks } from "./checks.ts";
import { type DemoAccount, makeDemo } from "./demo.ts";
import { ownDoors } from "./doors.ts";
import { gaugeCertificate, gaugePools, gaugeQueues, gaugeReadiness, gaugeRedis, gaugeServers } from "./gauges.ts";
import { openStore } from "./open-store.ts";
import { hostPort, type Surroundings } from "./parts.ts";
import { openRedis } from "./redis.ts";
import { endingOf, makeParts, type RoleUrls, type Stop, startRoles, stopAll } from "./roles.ts";
import { ServerReadiness } from "./server-readiness.ts";
import { keepHeapSmall } from "./small-heap.ts";

export interface Running {
  /** Where each part listens; undefined if this server does not run it. */
  urls: RoleUrls & { metrics: string | undefined };
  /** The demo accounts that this start added. */
  demo: DemoAccount[];
  /** Resolves when the server cannot go on. */
  lost: Promise<Error>;
  /** Drains and stops; safe to call more than once. */
  stop(): Promise<void>;
  /** Replaces the processes one by one; undefined if there is only this one. */
  restart: (() => Promise<void>) | undefined;
}

/** Serves from this process alone. The parts of the configured roles stop in reverse order. `interrupt` aborts a start half way. */
export async function serve(config: Config, surroundings: Surroundings, interrupt?: AbortSignal): Promise<Running> {
  const stops: Stop[] = [];
  try {
    return await start(config, surroundings, { stops, interrupt });
  } catch (error) {
    await stopAll(stops, "stop", surroundings.log);
    throw error;
  }
}

async function start(
  config: Config,
  surroundings: Surroundings,
  { stops, interrupt }: { stops: Stop[]; interrupt: AbortSignal | undefined },
): Promise<Running> {
  const { clock, log } = surroundings;
  if (config.traces !== "") {
    stops.push(await startTraces({ url: config.traces, version, instance: thisProcess.name, log }));
  }
  const { store, lost, close } = await openStore(config, surroundings);
  stops.push(close);
  interrupt?.throwIfAborted();
  const metrics = createMetrics();
  const traffic = new TrafficCounts({ database: store.database, clock, log });
  stops.push(() => traffic.close());
  const events = toAll([metricsListener(metrics.registry), traffic.events]);
  const objects = new ObservedObjects(bodiesOf(config, { ...surroundings, events }), events);
  await checkBodies(store, objects, log);
  const redis = await openRedis(config, { ...surroundings, events });
  if (redis) {
    stops.push(redis.close);
    gaugeRedis(metrics, redis);
  }
  const { database } = store;
  const readiness = new ServerReadiness(checks(config, { database, objects, redis }), log);
  gaugeServers(metrics, store);
  gaugePools(metrics, store);
  if (config.roles.includes("worker")) gaugeQueues(metrics, store);
  const counts = redis?.counts ?? new OwnCounts({ clock });
  const bus = createBus({ store, log, carrier: redis?.carrier });
  traffic.onWritten = () => bus.publish({ watched: "mail" });
  const ready = () => readiness.report();
  gaugeReadiness(metrics, ready);
  const sharedCache = redis?.cache;
  const foundation = {
    store,
    objects,
    bus,
    counts,
    sharedCache,
    doors: ownDoors,
    metrics,
    events,
    ready,
    pageFiles: loadFiles,
  };
  const parts = await makeParts(config, surroundings, foundation);
  gaugeCertificate(metrics, parts.tls);
  stops.push(keepHeapSmall(() => parts.blobs.cachedBytes));
  stops.push(() => counts.close());
  stops.push(() => bus.close());
  stops.push(() => parts.webPush.close());
  await bus.start();
  let metricsUrl: string | undefined;
  if (config.metrics) {
    const server = await serveMetrics({ address: config.metrics, metrics, ready, log });
    stops.push(server.close);
    metricsUrl = `http://${hostPort({ ...config.metrics, port: server.port })}/metrics`;
  }
  const urls = { ...(await startRoles(config, parts, stops)), metrics: metricsUrl };
  interrupt?.throwIfAborted();
  // Last, since its passwords are shown once: nothing may fail after it.
  const demo = await makeDemo(parts, config);
  readiness.state = "serving";
  log.info({ roles: config.roles, ...urls }, "serving");
  const end = async () => {
    readiness.state = "stopping";
    await sleep(config.drainDelay);
    await stopAll(stops, endingOf(config), log);
  };
  let stopping: Promise<void> | undefined;
  return {
    urls,
    demo,
    lost,
    stop: () => {
      stopping ??= end();
      return stopping;
    },
    restart: undefined,
  };
}
