import { poisson, type Random } from "../random.ts";
import type { Agenda } from "./agenda.ts";
import type { Fault } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import { Line } from "./line.ts";
import type { Values } from "./parameters.ts";
import { clientShape, mailShape, ownRetrySeconds, peerRetrySeconds, type Region } from "./shapes.ts";
import { databaseMs, type Site } from "./sizes.ts";
import { waitAt, waitProbability } from "./waiting.ts";

const daySeconds = 86_400;
/** A mail is timed by so many draws for each cohort. */
const draws = 2;

export class Worker {
  /** The part of the cell's users that it has. */
  part: number;
  readonly cores: number;
  /** What keeps it from working, and its mail from being accepted. */
  down: Fault | undefined;
  /** The part of its cores that moves of shards take; 1 for the moment when writes wait. */
  taken = 0;
  readonly line = new Line<Fault | undefined>();

  constructor(part: number, cores: number) {
    this.part = part;
    this.cores = cores;
  }
}

/** Mails for one worker that come in a stretch of time: new ones, or with what was said to them before. */
type Arriving = { worker: Worker; count: number; source: number; before?: Refused };
/** Mails that wait with their senders, or in our own queue where the region can't be reached. */
type Refused = Omit<Arriving, "before"> & {
  triedAt: number;
  attempt: number;
  fault: Fault;
  place: "withSenders" | "between";
};

type World = {
  agenda: Agenda;
  ledger: Ledger;
  random: Random;
  p: Values;
  sites: readonly Site[];
  /** Seconds that mails take when nothing waits. */
  calm: readonly number[];
  /** What cuts a site off from the others. */
  cut: (site: number) => Fault | undefined;
};

/** One cell of a region, which stands for all of them: they are alike, and share nothing. */
export class Cell {
  readonly workers: Worker[];
  coordinatorDown: Fault | undefined;
  storm: Fault | undefined;
  /** Of a worker's cores, wanted by mail and clients: on average and at most. */
  readonly busy = { sum: 0, seconds: 0, most: 0 };
  readonly users: number;
  readonly #site: Site;
  readonly #index: number;
  readonly #world: World;
  /** The other sites, and which part each has of what they have together. */
  readonly #others: { source: number; region: Region; part: number }[];
  readonly #doorPerSecond: number;
  /** What a mail takes of a worker's core. */
  readonly #mailSeconds: number;
  readonly #perUserSecond: { mails: number; requests: number; readCores: number };
  #returning: Refused[] = [];
  #at = 0;

  constructor(index: number, world: World, doorPerSecond: number) {
    const { p } = world;
    this.#index = index;
    this.#world = world;
    this.#site = world.sites[index]!;
    this.users = this.#site.cell.users;
    this.#doorPerSecond = doorPerSecond;
    const count = this.#site.cell.workers;
    this.workers = Array.from({ length: count }, () => new Worker(1 / count, p.workerCores));
    const others = world.sites
      .map(({ region }, source) => ({ source, region }))
      .filter(({ source }) => source !== index);
    const together = others.reduce((sum, { region }) => sum + region.part, 0);
    this.#others = others.map((other) => ({ ...other, part: other.region.part / together }));
    const database = databaseMs(count > 1, p);
    this.#mailSeconds = database.mail / 1000;
    this.#perUserSecond = {
      mails: p.mailsPerUserDay / daySeconds,
      // A mail is read, and marked as read.
      requests: (p.opensPerUserDay + 2 * p.readsPerUserDay + p.syncsPerUserDay + p.searchesPerUserDay) / daySeconds,
      readCores: database.clients / 1000 / daySeconds,
    };
  }

  get queued(): number {
    return this.workers.reduce((sum, { line }) => sum + line.waiting, 0);
  }

  /** All that happens up to now since the last time; nothing else may have changed between. */
  advance(): void {
    const { agenda, ledger } = this.#world;
    const [from, to] = [this.#at, agenda.now];
    if (to <= from) return;
    this.#at = to;
    this.#arrivals(from, to);
    for (const worker of this.workers) this.#work(worker, from, to);
    ledger.watch(from, this.queued);
  }

  #arrivals(from: number, to: number): void {
    const { ledger } = this.#world;
    const arriving = this.#freshMail(from, to);
    for (const { count } of arriving) ledger.offer(count, from, this.#index);
    for (const before of this.#returning.splice(0)) {
      ledger[before.place] -= before.count;
      arriving.push({ ...before, before });
    }
    const total = arriving.reduce((sum, { count }) => sum + count, 0);
    const admitted = Math.min(1, (this.#doorPerSecond * (to - from)) / Math.max(1, total));
    // What brought more than the doors can take, or the mail that comes back after it.
    const pressing = this.storm ?? arriving.findLast(({ before }) => before)?.before?.fault;
    const middle = (from + to) / 2;
    for (const { worker, count, source, before } of arriving) {
      const triedAt = before?.triedAt ?? middle;
      const unreachable = source === this.#index ? undefined : this.#between(source);
      const closed = unreachable ?? this.coordinatorDown ?? worker.down;
      const taken = closed ? 0 : Math.round(count * admitted);
      if (taken < count) {
        const fault = before?.fault ?? closed ?? pressing;
        if (!fault) throw new Error("the doors are too small for the usual mail");
        const place = unreachable ? "between" : "withSenders";
        const attempt = before ? before.attempt + 1 : 0;
        this.#refuse({ worker, count: count - taken, source, triedAt, attempt, fault, place });
      }
      ledger.accepted += taken;
      worker.line.join(from, to, { count: taken, lateBy: middle - triedAt, tag: before?.fault });
    }
  }

  #freshMail(from: number, to: number): Arriving[] {
    const { random, p } = this.#world;
    const middle = (from + to) / 2;
    const all = this.#site.cell.users * this.#perUserSecond.mails * (to - from);
    const others = this.#others;
    const abroad = others.length > 0 ? all * p.insidePart * p.abroadPart : 0;
    const near = (all - abroad) * mailShape(middle, this.#site.region) * (this.storm ? p.stormTimes : 1);
    const flows = [
      { source: this.#index, mean: near },
      ...others.map(({ source, region, part }) => ({ source, mean: abroad * part * mailShape(middle, region) })),
    ];
    return this.workers.flatMap((worker) =>
      flows.map(({ source, mean }) => ({ worker, source, count: poisson(random, mean * worker.part) })),
    );
  }

  /** What parts this site from another. */
  #between(other: number): Fault | undefined {
    return this.#world.cut(this.#index) ?? this.#world.cut(other);
  }

  #refuse(mail: Refused): void {
    const { agenda, ledger, random } = this.#world;
    ledger[mail.place] += mail.count;
    if (mail.place === "withSenders") ledger.refusals += mail.count;
    if (mail.attempt === 0) {
      ledger.delayed += mail.count;
      mail.fault.delayed += mail.count;
      mail.fault.left += mail.count;
    }
    const schedule = mail.source === this.#index ? peerRetrySeconds : ownRetrySeconds;
    const pause = schedule[Math.min(mail.attempt, schedule.length - 1)]!;
    // Senders don't come back all at once; those that were parted stay so.
    const parts = mail.attempt === 0 ? Math.min(8, mail.count) : 1;
    for (let n = 0; n < parts; n++) {
      const count = Math.floor(((n + 1) * mail.count) / parts) - Math.floor((n * mail.count) / parts);
      agenda.at(agenda.now + pause * (0.8 + 0.4 * random()), () => this.#returning.push({ ...mail, count }));
    }
  }

  #work(worker: Worker, from: number, to: number): void {
    const { ledger, random, p } = this.#world;
    const { region, cell } = this.#site;
    const shape = clientShape((from + to) / 2, region);
    const here = cell.users * worker.part * shape;
    const requests = here * this.#perUserSecond.requests * (to - from);
    ledger.requests += requests;
    for (const { source, part } of this.#others)
      if (this.#between(source)) ledger.requestsReadOnly += requests * p.awayPart * part;
    if (worker.down) {
      ledger.requestsFailed += requests;
      return;
    }
    const reading = here * this.#perUserSecond.readCores;
    const mails = worker.line.waiting / (to - from);
    const wanted = reading + mails * this.#mailSeconds;
    this.busy.sum += (wanted / worker.cores) * (to - from);
    this.busy.seconds += to - from;
    this.busy.most = Math.max(this.busy.most, wanted / worker.cores);
    const cores = worker.cores * (1 - worker.taken);
    // Clients and mail share the cores; under pressure each has half.
    const left = cores - Math.min(reading, cores / 2);
    const perSecond = this.coordinatorDown ? 0 : left / this.#mailSeconds;
    const queue = {
      servers: worker.cores,
      load: Math.min(wanted, 0.98 * worker.cores),
      serviceSeconds: this.#mailSeconds,
    };
    const probability = waitProbability(queue);
    worker.line.serve(from, to, perSecond, ({ count, first, last, at, lateBy, tag: fault }) => {
      ledger.delivered += count;
      for (let n = 0; n < draws; n++) {
        const wait = first + ((last - first) * (n + 0.5)) / draws + waitAt(random(), queue, probability);
        ledger.deliver(count / draws, lateBy + wait + this.#calm(), at);
      }
      if (!fault) return;
      fault.left -= count;
      if (fault.left === 0) fault.lastInAt = at;
    });
  }

  /** How long a mail takes when it waits for nothing. */
  #calm(): number {
    const { random, calm } = this.#world;
    return calm[Math.floor(random() * calm.length)]!;
  }
}
