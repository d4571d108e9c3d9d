import { runRetention } from "../admin/keeping.ts";
import { createAuthenticator } from "../auth/authenticator.ts";
import type { Clock } from "../base/clock.ts";
import type { Ending } from "../base/ending.ts";
import { thisProcess } from "../base/holder.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import type { Delivered } from "../mail/deliver/arriving.ts";
import { isJunk } from "../mail/deliver/deliver-to.ts";
import { Incoming } from "../mail/deliver/incoming.ts";
import { Ingest } from "../mail/deliver/ingest.ts";
import { ReturnPaths } from "../mail/feedback/return-path.ts";
import { keepReports, takesReports } from "../mail/reports/receive-report.ts";
import { ReportCounts } from "../mail/reports/report-counts.ts";
import { Learner } from "../mail/scan/learner.ts";
import { HoldNotices } from "../mail/standing/notices.ts";
import { VacationResponder } from "../mail/vacation/vacation.ts";
import { WebPush } from "../push/webpush/webpush.ts";
import type { MailOut } from "../smtp/outbound/mail-out.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import { StoredMailLog } from "../store/queues/mail-log.ts";
import { dropSourceDays } from "../store/queues/source-addresses.ts";
import type { DoorName, WebDoor } from "./doors.ts";
import { startExports } from "./export-jobs.ts";
import { startHttp } from "./http.ts";
import { openPools } from "./open-pools.ts";
import type { Foundation, Part, Parts, Surroundings } from "./parts.ts";
import { startReports } from "./reporting.ts";
import { scannersOf } from "./scanners.ts";
import { startSettling } from "./settle-search.ts";
import { startLmtp, startSmtpIn, startSubmission } from "./smtp-in.ts";
import { hintSubmissions, startSmtpOut } from "./smtp-out.ts";
import { openTls } from "./tls/tls.ts";
import { startTlsPolicy } from "./tls-policy.ts";
import { startWorker } from "./worker.ts";

export type Stop = (ending: Ending) => Promise<void>;

/** Where the roles listen; undefined if this process does not run them. */
export type RoleUrls = Record<DoorName, string | undefined>;

export async function makeParts(
  config: Config,
  surroundings: Surroundings,
  { objects, sharedCache, ...foundation }: Foundation,
): Promise<Parts> {
  const { clock, log } = surroundings;
  const { store, bus, counts, events } = foundation;
  const authenticator = createAuthenticator({ store, clock, log, counts });
  bus.onRevoked((login) => authenticator.forget(login));
  // Revocations may have been missed meanwhile.
  bus.onReconnect(() => authenticator.forget());
  const { allowPrivateTargets, publicUrl, hostname } = config;
  const contact = publicUrl.startsWith("https:") ? publicUrl : `mailto:postmaster@${hostname}`;
  const pushing = { store, bus, events, holder: thisProcess, allowPrivateTargets, contact };
  const blobs = new Blobs({ objects, clock, cacheBytes: config.cacheBytes, sharedCache, events });
  const scanners = scannersOf(config, log);
  const { hostname: name } = config;
  const notices = new HoldNotices({ store, blobs, ...surroundings, events, hostname: name });
  store.onHeld = (held) => notices.noticed(held);
  return {
    ...foundation,
    blobs,
    notices,
    scanners,
    reportCounts: config.reportsFrom === "" ? undefined : new ReportCounts({ database: store.database, clock, log }),
    learner: new Learner({ store, blobs, log, rspamd: scanners.rspamd }),
    ingest: new Ingest(store),
    returnPaths: new ReturnPaths(store.database),
    authenticator,
    mailLog: new StoredMailLog({
      database: store.database,
      clock,
      log,
      onKept: () => bus.publish({ watched: "mail" }),
    }),
    webPush: await WebPush.open({ ...surroundings, ...pushing }),
    surroundings,
    tls: hasTls(config) ? await openTls(config, store.database, surroundings) : undefined,
  };
}

const hasTls = ({ roles, https, httpRedirect }: Config) =>
  roles.includes("smtp-in") || (isWeb(roles) && (https ?? httpRedirect) !== undefined);
const isWeb = (roles: Config["roles"]) => roles.includes("http") || roles.includes("push");

/** Starts the parts in this order; they stop in reverse, so the listeners for clients and peers close first. */
export async function startRoles(config: Config, parts: Parts, stops: Stop[]): Promise<RoleUrls> {
  const { store, blobs, surroundings } = parts;
  const { log } = surroundings;
  const roles = new Set(config.roles);
  const { tls } = parts;
  if (tls) stops.push(() => tls.stop());
  stops.push(() => parts.mailLog.flush());
  stops.push(async () => parts.reportCounts?.close());
  const noDoors = {
    https: undefined,
    httpRedirect: undefined,
    operator: undefined,
    submission: undefined,
    submissions: undefined,
    lmtp: undefined,
  };
  const urls: RoleUrls = { http: undefined, smtp: undefined, ...noDoors };
  const servesClients = isWeb(config.roles);
  if ((roles.has("worker") || servesClients) && !config.readOnly) parts.webPush.start();
  if (roles.has("worker")) {
    const kept = { mailLogForMs: config.mailLogFor, keepDeletedForMs: config.keepDeleted };
    const more = {
      "held senders": () => parts.notices.sweep(),
      retention: onceADay(surroundings.clock, () => runRetention({ store }, { isDry: false })),
      "source addresses": () => dropSourceDays(store.database, surroundings.clock.now()),
    };
    stops.push(startWorker({ store, objects: blobs.objects, log, ...kept, more }));
    if (config.reportsFrom !== "") stops.push(startReports(config, parts));
    if (!config.readOnly) stops.push(startExports(config, parts));
  }
  stops.push(startSettling(store, log));
  stops.push(() => parts.learner.idle());
  stops.push(() => parts.notices.idle());
  const incoming = await startMail(config, parts, stops);
  const doors: Stop[] = [];
  stops.push((ending) => closeDoors(doors, ending));
  if (incoming && roles.has("smtp-in")) {
    urls.smtp = opened(await startSmtpIn(config, parts, incoming), doors);
    if (config.lmtp) urls.lmtp = opened(await startLmtp(config.lmtp, config, parts, incoming), doors);
    for (const name of ["submission", "submissions"] as const) {
      const address = config[name];
      if (address) urls[name] = opened(await startSubmission(name, address, { config, parts, incoming }), doors);
    }
  }
  if (servesClients) {
    for (const [name, part] of Object.entries(await startHttp(config, parts))) {
      urls[name as WebDoor] = opened(part, doors);
    }
  }
  return urls;
}

/** A step of sweeps that need not run at each of them. */
function onceADay(clock: Clock, work: () => Promise<unknown>): () => Promise<unknown> {
  let next = 0;
  return async () => {
    const now = clock.now().getTime();
    if (now < next) return undefined;
    // What fails is tried again by the next sweep.
    const result = await work();
    next = now + 24 * 3_600_000;
    return result;
  };
}

/** Starts outgoing mail and the queue of incoming mail. */
async function startMail(config: Config, parts: Parts, stops: Stop[]): Promise<Incoming | undefined> {
  const { store, blobs, ingest, returnPaths, events, mailLog, scanners, surroundings } = parts;
  const { clock, random, log } = surroundings;
  const roles = new Set(config.roles);
  if (!roles.has("smtp-in") && !roles.has("smtp-out") && !roles.has("worker")) {
    hintSubmissions(parts, undefined);
    return undefined;
  }
  const vacation = new VacationResponder({ store, blobs, clock, random, log });
  const onDelivered = async (delivered: Delivered) => {
    await vacation.answer(delivered);
    const { address, bytes, prepared, decision } = delivered;
    if (!takesReports(address) || isJunk(decision.places)) return;
    await keepReports(bytes, prepared.summary, { database: store.database, clock, log });
  };
  const means = { store, blobs, ingest, returnPaths, clock, log, mailLog, events, scanners };
  const incoming = new Incoming({ ...means, holder: thisProcess, onDelivered });
  if (roles.has("worker")) incoming.start();
  stops.push(() => incoming.close());
  const mailOut = roles.has("smtp-out") ? await startSending(config, parts, incoming, stops) : undefined;
  hintSubmissions(parts, mailOut);
  return incoming;
}

async function startSending(config: Config, parts: Parts, incoming: Incoming, stops: Stop[]): Promise<MailOut> {
  const pools = await openPools(config, parts);
  stops.push(async () => pools?.watch.close());
  const tls = startTlsPolicy(config, parts);
  stops.push(() => tls.stop());
  const mailOut = await startSmtpOut(config, parts, { incoming, sources: pools?.sources, tlsRules: tls.rules });
  stops.push(() => mailOut.close());
  return mailOut;
}

function opened(part: Part, doors: Stop[]): string {
  doors.push((ending) => part.stop(ending));
  return part.url;
}

/** Closes SMTP and HTTP at the same time, so that neither takes new work while the other drains. */
async function closeDoors(doors: Stop[], ending: Ending): Promise<void> {
  const outcomes = await Promise.allSettled(doors.map((stop) => stop(ending)));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** With a delay, others serve the clients by the time the doors close. */
export function endingOf({ drainDelay }: Pick<Config, "drainDelay">): Ending {
  return drainDelay > 0 ? "restart" : "stop";
}

export async function stopAll(stops: Stop[], ending: Ending, log: Log): Promise<void> {
  for (const stop of stops.reverse()) {
    await stop(ending).catch((error: Error) => log.error({ reason: error.message }, "a part failed to stop"));
  }
}
