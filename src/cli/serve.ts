import type { Resolver } from "node:dns/promises";
import type { Clock, Random } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { createMetrics } from "../ops/metrics.ts";
import { serveMetrics } from "../ops/metrics-server.ts";
import { diskObjects } from "./database.ts";
import { type DemoAccount, makeDemo } from "./demo.ts";
import { openStore } from "./open-store.ts";
import { startWorker } from "./worker.ts";

/** What a server is made with; tests pass their own. */
export interface Surroundings {
  clock: Clock;
  resolver: Resolver;
  random: Random;
  log: Log;
}

export interface Running {
  /** Where each part listens; undefined for parts that this process does not run. */
  urls: { http: string | undefined; smtp: string | undefined; metrics: string | undefined };
  /** Made by this very start. */
  demo: DemoAccount[];
  /** Resolves when the server cannot go on. */
  lost: Promise<Error>;
  /** Drains and stops; safe to call more than once. */
  stop(): Promise<void>;
}

/** Starts all parts that the roles name, and stops them in the opposite order. */
export async function serve(config: Config, surroundings: Surroundings): Promise<Running> {
  const stops: (() => Promise<void>)[] = [];
  try {
    return await start(config, surroundings, stops);
  } catch (error) {
    await stopAll(stops, surroundings.log);
    throw error;
  }
}

async function start(config: Config, surroundings: Surroundings, stops: (() => Promise<void>)[]): Promise<Running> {
  const { log } = surroundings;
  const opened = await openStore(config, surroundings);
  stops.push(opened.close);
  const { store } = opened;
  const objects = diskObjects(config);
  const metrics = createMetrics();
  const isReady = async () => store.database.isReachable();
  const urls: Running["urls"] = { http: undefined, smtp: undefined, metrics: undefined };
  const demo = await makeDemo(store, config, surroundings.random);

  if (config.roles.includes("worker")) stops.push(startWorker({ store, objects, log }));
  if (config.metrics) {
    const server = await serveMetrics({ address: config.metrics, metrics, ready: isReady, log });
    stops.push(server.close);
    urls.metrics = `http://${hostPort({ ...config.metrics, port: server.port })}/metrics`;
  }
  log.info({ roles: config.roles, ...urls }, "serving");
  let stopping: Promise<void> | undefined;
  return {
    urls,
    demo,
    lost: opened.lost,
    stop: () => {
      stopping ??= stopAll(stops, log);
      return stopping;
    },
  };
}

async function stopAll(stops: (() => Promise<void>)[], log: Log): Promise<void> {
  for (const stop of stops.reverse()) {
    await stop().catch((error: Error) => log.error({ reason: error.message }, "a part did not stop clean"));
  }
}

/** For a URL; a server that listens everywhere is reached at loopback. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
