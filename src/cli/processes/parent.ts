import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../base/log.ts";
import { version } from "../../base/version.ts";
import type { Config } from "../../config/schema.ts";
import type { ListenPlace } from "../../config/values.ts";
import { createMetrics, metricsListener } from "../../ops/metrics.ts";
import { serveMetrics } from "../../ops/metrics-server.ts";
import { ProcessBus } from "../../push/bus.ts";
import { loadFiles, type SentFile, toSent } from "../../web/files.ts";
import { bodiesOf } from "../bodies.ts";
import { carriersOf } from "../bus.ts";
import { checkBodies } from "../check-bodies.ts";
import { checks } from "../checks.ts";
import { makeDemo } from "../demo.ts";
import { urlOf } from "../door-url.ts";
import { type DoorName, mailDoorNames, webDoorNames } from "../doors.ts";
import { Failure } from "../fail.ts";
import { gaugePools, gaugeQueues, gaugeReadiness, gaugeRedis, gaugeServers } from "../gauges.ts";
import { openStore } from "../open-store.ts";
import { hostPort, type Surroundings } from "../parts.ts";
import { openRedis } from "../redis.ts";
import { endingOf, type RoleUrls, type Stop, stopAll } from "../roles.ts";
import type { Running } from "../serve.ts";
import { ServerReadiness } from "../server-readiness.ts";
import { unlessTaken } from "../usual-door.ts";
import type { Hello, Welcome } from "./child.ts";
import { Children } from "./children.ts";
import { Entrance } from "./entrance.ts";
import { FamilyMetrics } from "./family-metrics.ts";
import type { Line } from "./line.ts";
import { Relay } from "./relay.ts";
import { ParentCounts } from "./shared-counts.ts";

/** How to start this program again. */
export interface Program {
  /** The module to run. */
  path: string;
  /** The options of the command line. */
  args: readonly string[];
}

interface Starting {
  program: Program;
  stops: Stop[];
  interrupt: AbortSignal | undefined;
}

type Entrances = Map<DoorName, { entrance: Entrance; port: number }>;

/** All children together keep so many connections to each server of the database, but each at least a few. */
const maxConnections = 80;
const minConnectionsEach = 4;
const maxConnectionsEach = 24;
/** The parent asks for readiness, announces changes and adds the demo. */
const maxParentConnections = 4;

/**
 * Serves from several processes. This one owns the database and listens; its children serve the connections. What must hold
 * for all of them is here: limits, the bus, metrics, readiness. `interrupt` aborts a start half way.
 */
export async function serveWithChildren(
  config: Config,
  surroundings: Surroundings,
  program: Program,
  interrupt?: AbortSignal,
): Promise<Running> {
  const stops: Stop[] = [];
  try {
    return await start(config, surroundings, { program, stops, interrupt });
  } catch (error) {
    await stopAll(stops, "stop", surroundings.log);
    throw error;
  }
}

async function start(
  config: Config,
  surroundings: Surroundings,
  { program, stops, interrupt }: Starting,
): Promise<Running> {
  const { clock, log } = surroundings;
  const { store, connection, lost, close } = await openStore(config, surroundings, { max: maxParentConnections });
  stops.push(close);
  interrupt?.throwIfAborted();
  const own = createMetrics();
  const events = metricsListener(own.registry);
  const objects = bodiesOf(config, { ...surroundings, events });
  await checkBodies(store, objects, log);
  const redis = await openRedis(config, { ...surroundings, events });
  if (redis) {
    stops.push(redis.close);
    gaugeRedis(own, redis);
  }

  const relay = new Relay(carriersOf({ store, log, carrier: redis?.carrier }), log);
  const bus = new ProcessBus({ store, log, carriers: [relay.join()] });
  store.onCommit = (change) => bus.publish(change);
  stops.push(() => relay.close());
  stops.push(() => bus.close());
  await relay.start();

  const processes = async () => (children.serving > 0 ? undefined : "none serves");
  const readiness = new ServerReadiness(
    { ...checks(config, { database: store.database, objects, redis }), processes },
    log,
  );
  const ready = () => readiness.report();
  gaugeServers(own, store);
  gaugePools(own, store);
  if (config.roles.includes("worker")) gaugeQueues(own, store);
  gaugeReadiness(own, ready);
  const metrics = new FamilyMetrics(own, () => children.metrics());
  const counts = new ParentCounts(clock);
  const entrances: Entrances = new Map();
  const welcome = (number: number): Welcome => ({
    number,
    config: { roles: rolesOf(config, number), cacheBytes: Math.floor(config.cacheBytes / config.workers) },
    connection,
    maxConnections: connectionsEach(config.workers),
    ports: portsOf(entrances),
  });
  let pageFiles: Promise<SentFile[]> | undefined;
  const children: Children = new Children({
    program: program.path,
    args: program.args,
    count: config.workers,
    log,
    attend: (line, number) => {
      line.hear("hello", (hello: Hello) => greet(hello, welcome(number)));
      line.hear("ready", ready);
      line.hear("page files", () => {
        pageFiles ??= loadFiles().then((files) => files.map(toSent));
        return pageFiles;
      });
      counts.serve(line);
      relay.serve(line);
    },
    employ: (line) => employ(line, entrances),
    bury: (values) => void metrics.bury(values),
  });

  const urls: Running["urls"] = { ...urlsOf(config, entrances), metrics: undefined };
  if (config.metrics) {
    const server = await serveMetrics({ address: config.metrics, metrics, ready, log });
    stops.push(server.close);
    urls.metrics = `http://${hostPort({ ...config.metrics, port: server.port })}/metrics`;
  }
  stops.push((ending) => children.stop(ending));
  stops.push(async () => {
    for (const { entrance } of entrances.values()) entrance.close();
  });
  await openEntrances(config, entrances, log);
  Object.assign(urls, urlsOf(config, entrances));
  const interrupted = () => void children.stop("stop");
  interrupt?.addEventListener("abort", interrupted);
  await children.start();
  interrupt?.removeEventListener("abort", interrupted);
  interrupt?.throwIfAborted();
  // Last, since its passwords are shown once: nothing may fail after it.
  const demo = await makeDemo({ store, bus, surroundings }, config);
  readiness.state = "serving";
  log.info({ roles: config.roles, workers: config.workers, ...urls }, "serving");
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    readiness.state = "stopping";
    await sleep(config.drainDelay);
    await stopAll(stops, endingOf(config), log);
  };
  return {
    urls,
    demo,
    lost,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    restart: () => children.restart(),
  };
}

function connectionsEach(workers: number): number {
  return Math.min(Math.max(Math.floor(maxConnections / workers), minConnectionsEach), maxConnectionsEach);
}

/** One child alone sweeps. */
function rolesOf({ roles }: Config, number: number): Config["roles"] {
  return number === 1 ? roles : roles.filter((role) => role !== "worker");
}

/** Refuses a child of another version, which would run on tables and messages that it does not know. */
function greet({ version: theirs }: Hello, welcome: Welcome): Welcome {
  if (theirs === version) return welcome;
  throw new Failure(
    `this is Posthorn ${theirs}, but its parent is Posthorn ${version}: stop the server and start it again`,
  );
}

async function openEntrances(config: Config, entrances: Entrances, log: Log): Promise<void> {
  const { roles } = config;
  const open = async (name: DoorName, place: ListenPlace) => {
    const entrance = new Entrance(name);
    const listening = () => entrance.listen(place);
    const port = name === "operator" ? await unlessTaken(config, log, listening) : await listening();
    if (port !== undefined) entrances.set(name, { entrance, port });
  };
  const isWeb = roles.includes("http") || roles.includes("push");
  const isMail = roles.includes("smtp-in");
  for (const name of [...(isWeb ? webDoorNames : []), ...(isMail ? mailDoorNames : [])]) {
    const address = config[name];
    if (address) await open(name, address);
  }
}

function portsOf(entrances: Entrances): Partial<Record<DoorName, number>> {
  return Object.fromEntries([...entrances].map(([name, { port }]) => [name, port]));
}

function urlsOf(config: Config, entrances: Entrances): RoleUrls {
  const ports = portsOf(entrances);
  const urls = [...webDoorNames, ...mailDoorNames].map((name) => {
    const [place, port] = [config[name], ports[name]];
    return [name, place && port !== undefined ? urlOf(name, place, port) : undefined];
  });
  return Object.fromEntries(urls) as RoleUrls;
}

function employ(line: Line, entrances: Entrances): () => void {
  const places = [...entrances.values()].map(({ entrance }) => entrance.enlist(line));
  return () => {
    for (const { dismiss } of places) dismiss();
  };
}
