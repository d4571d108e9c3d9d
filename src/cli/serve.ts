import { createAuthenticator } from "../auth/authenticator.ts";
import { thisProcess } from "../base/holder.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { type Delivered, Incoming } from "../mail/deliver/incoming.ts";
import { Ingest } from "../mail/deliver/ingest.ts";
import { VacationResponder } from "../mail/vacation/vacation.ts";
import { createMetrics, metricsListener } from "../ops/metrics.ts";
import { serveMetrics } from "../ops/metrics-server.ts";
import { Readiness } from "../ops/readiness.ts";
import { WebPush } from "../push/webpush/webpush.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import { createBus } from "./bus.ts";
import { checks } from "./checks.ts";
import { diskObjects } from "./database.ts";
import { type DemoAccount, makeDemo } from "./demo.ts";
import { gaugeStore } from "./gauges.ts";
import { startHttp } from "./http.ts";
import { type OpenStore, openStore } from "./open-store.ts";
import { hostPort, type Part, type Parts, type Surroundings } from "./parts.ts";
import { startSmtpIn } from "./smtp-in.ts";
import { hintSubmissions, startSmtpOut } from "./smtp-out.ts";
import { startWorker } from "./worker.ts";

type Stop = () => Promise<void>;

export interface Running {
  /** Where each part listens; undefined if this process does not run it. */
  urls: { http: string | undefined; smtp: string | undefined; metrics: string | undefined };
  /** The demo accounts that this start added. */
  demo: DemoAccount[];
  /** Resolves when the server cannot go on. */
  lost: Promise<Error>;
  /** Drains and stops; safe to call more than once. */
  stop(): Promise<void>;
}

/** Starts the parts of the configured roles; they stop in reverse order. `interrupt` aborts a start half way. */
export async function serve(config: Config, surroundings: Surroundings, interrupt?: AbortSignal): Promise<Running> {
  const stops: Stop[] = [];
  try {
    return await start(config, surroundings, { stops, interrupt });
  } catch (error) {
    await stopAll(stops, surroundings.log);
    throw error;
  }
}

async function start(
  config: Config,
  surroundings: Surroundings,
  { stops, interrupt }: { stops: Stop[]; interrupt: AbortSignal | undefined },
): Promise<Running> {
  const { log } = surroundings;
  const opened = await openStore(config, surroundings);
  stops.push(opened.close);
  interrupt?.throwIfAborted();
  let isStarted = false;
  const objects = diskObjects(config);
  const readiness = new Readiness(checks(config, opened.store.database.nodes, objects), log, ["database"]);
  const starting = { isReady: false, text: '{"ready":false,"server":"starting"}\n' };
  const ready = async () => (isStarted ? readiness.report() : starting);
  const parts = await makeParts(config, surroundings, { ...opened, objects, ready });
  stops.push(() => parts.bus.close());
  stops.push(() => parts.webPush.close());
  await parts.bus.start();
  const urls = await startRoles(config, parts, stops);
  interrupt?.throwIfAborted();
  // Last, since its passwords are shown once: nothing may fail after it.
  const demo = await makeDemo(parts, config);
  isStarted = true;
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

async function makeParts(
  config: Config,
  surroundings: Surroundings,
  { store, objects, ready }: OpenStore & Pick<Parts, "ready"> & { objects: ObjectStore },
): Promise<Parts> {
  const { clock, random, log } = surroundings;
  const authenticator = createAuthenticator({ store, clock, log });
  const bus = createBus(store, log);
  bus.onRevoked((login) => authenticator.forget(login));
  // Revocations may have been missed meanwhile.
  bus.onReconnect(() => authenticator.forget());
  const metrics = createMetrics();
  gaugeStore(metrics, store);
  const events = metricsListener(metrics.registry);
  const { allowPrivateTargets, publicUrl, hostname } = config;
  const contact = publicUrl.startsWith("https:") ? publicUrl : `mailto:postmaster@${hostname}`;
  const pushing = { store, bus, events, holder: thisProcess, allowPrivateTargets, contact };
  return {
    store,
    blobs: new Blobs({ objects, clock, random, cacheBytes: config.cacheBytes }),
    ingest: new Ingest(store),
    authenticator,
    bus,
    webPush: await WebPush.open({ ...surroundings, ...pushing }),
    metrics,
    events,
    surroundings,
    ready,
  };
}

/** Starts the parts in this order; they stop in reverse, so the listeners for clients and peers close first. */
async function startRoles(config: Config, parts: Parts, stops: Stop[]): Promise<Running["urls"]> {
  const { store, blobs, metrics, surroundings, ready } = parts;
  const { log } = surroundings;
  const roles = new Set(config.roles);
  const urls: Running["urls"] = { http: undefined, smtp: undefined, metrics: undefined };
  if (config.metrics) {
    const server = await serveMetrics({ address: config.metrics, metrics, ready, log });
    stops.push(server.close);
    urls.metrics = `http://${hostPort({ ...config.metrics, port: server.port })}/metrics`;
  }
  if ((roles.has("worker") || roles.has("http")) && !config.readOnly) parts.webPush.start();
  if (roles.has("worker")) stops.push(startWorker({ store, objects: blobs.objects, log }));
  const incoming = startMail(config, parts, stops);
  const doors: Stop[] = [];
  stops.push(() => closeDoors(doors));
  if (incoming && roles.has("smtp-in")) urls.smtp = opened(await startSmtpIn(config, parts, incoming), doors);
  if (roles.has("http")) urls.http = opened(await startHttp(config, parts), doors);
  return urls;
}

/** Starts outgoing mail and the queue of incoming mail. */
function startMail(config: Config, parts: Parts, stops: Stop[]): Incoming | undefined {
  const { store, blobs, ingest, events, surroundings } = parts;
  const { clock, random, log } = surroundings;
  const roles = new Set(config.roles);
  if (!roles.has("smtp-in") && !roles.has("smtp-out") && !roles.has("worker")) {
    hintSubmissions(parts, undefined);
    return undefined;
  }
  const vacation = new VacationResponder({ store, blobs, clock, random, log });
  const onDelivered = (delivered: Delivered) => vacation.answer(delivered);
  const incoming = new Incoming({ store, blobs, ingest, clock, log, events, holder: thisProcess, onDelivered });
  if (roles.has("worker")) incoming.start();
  stops.push(() => incoming.close());
  const mailOut = roles.has("smtp-out") ? startSmtpOut(config, parts, incoming) : undefined;
  if (mailOut) stops.push(() => mailOut.close());
  hintSubmissions(parts, mailOut);
  return incoming;
}

function opened(part: Part, doors: Stop[]): string {
  doors.push(() => part.stop());
  return part.url;
}

/** Closes SMTP and HTTP at the same time, so that neither takes new work while the other drains. */
async function closeDoors(doors: Stop[]): Promise<void> {
  const outcomes = await Promise.allSettled(doors.map((stop) => stop()));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function stopAll(stops: Stop[], log: Log): Promise<void> {
  for (const stop of stops.reverse()) {
    await stop().catch((error: Error) => log.error({ reason: error.message }, "a part failed to stop"));
  }
}
