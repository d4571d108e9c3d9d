import { setTimeout as sleep } from "node:timers/promises";
import { generator } from "../../bench/random.ts";
import { type Audit, audit } from "./audit.ts";
import { Deaths } from "./deaths.ts";
import { type Fault, faultsOf } from "./faults.ts";
import { Follower } from "./follower.ts";
import { type Installation, install, type Place } from "./installation.ts";
import type { Planned } from "./schedule.ts";
import { Traffic } from "./traffic.ts";
import { createWorld, type World } from "./world.ts";

/** What was done to the installation, in `performance.now()`. */
export interface Happened {
  fault: Fault;
  beganAt: number;
  /** When its end was begun, and when that which had failed was back. */
  endedAt: number;
  backAt: number;
}

/** An installation, traffic on it, and what fails meanwhile. */
export class Chaos {
  readonly installation: Installation;
  readonly world: World;
  /** All that can fail here. */
  readonly faults: Fault[];
  readonly happened: Happened[] = [];
  startedAt = 0;
  readonly #followers: Follower[] = [];
  readonly #traffic: Traffic;
  readonly #deaths: Deaths;
  /** Ends the fault that is under way. */
  #endFault: (() => Promise<void>) | undefined;

  private constructor(installation: Installation, seed: number) {
    const random = generator(seed);
    this.installation = installation;
    this.world = createWorld(installation, random);
    this.faults = faultsOf(installation, random);
    this.#traffic = new Traffic(this.world);
    this.#deaths = new Deaths(installation);
  }

  static async start(place: Place, seed: number): Promise<Chaos> {
    const chaos = new Chaos(await install(place), seed);
    try {
      for (const user of chaos.installation.users) {
        chaos.#followers.push(await Follower.start(user, chaos.world.samples));
      }
      return chaos;
    } catch (error) {
      await chaos.dispose();
      throw error;
    }
  }

  get pushes(): number {
    return this.#followers.reduce((sum, { pushes }) => sum + pushes, 0);
  }

  /** Calls and mails that were left out, since too much was under way. */
  get skipped(): number {
    return this.#traffic.skipped;
  }

  /** Traffic for so long, and the faults at their times. `say` is told of each. One that is too late by then is left out. */
  async letLoose(planned: readonly Planned[], totalMs: number, say: (text: string) => void): Promise<void> {
    this.startedAt = performance.now();
    this.#traffic.start();
    for (const one of planned) {
      const restMs = this.startedAt + totalMs - performance.now();
      if (restMs > one.endMs - one.beginMs) await this.#fail(one, say);
      else say(`left out, being late: ${one.fault.name}`);
    }
    await sleep(Math.max(0, this.startedAt + totalMs - performance.now()));
    await this.#traffic.stop();
  }

  /** One that took long to end delays those after it. */
  async #fail({ fault, beginMs, endMs }: Planned, say: (text: string) => void): Promise<void> {
    await sleep(Math.max(0, this.startedAt + beginMs - performance.now()));
    const beganAt = performance.now();
    say(`${seconds(beganAt - this.startedAt)} s: ${fault.name}, for ${seconds(endMs - beginMs)} s`);
    this.#deaths.expected = fault.dead;
    this.#endFault = await fault.begin();
    await sleep(endMs - beginMs);
    const endedAt = performance.now();
    await this.#endFault();
    this.#endFault = undefined;
    this.#deaths.expected = undefined;
    this.happened.push({ fault, beganAt, endedAt, backAt: performance.now() });
    // It keeps all requests that it has seen.
    if (this.installation.s3) this.installation.s3.seen.length = 0;
  }

  /** Compares what was acknowledged with what is there. */
  async examine(): Promise<Audit> {
    const { installation, happened } = this;
    const { ledger } = this.world;
    const found = await audit({ installation, ledger, followers: this.#followers, faults: happened.length });
    found.problems.push(...this.#deaths.problems);
    return found;
  }

  /** What failed is mended, also in the middle of a run. */
  async dispose(): Promise<void> {
    this.#deaths.close();
    this.#traffic.close();
    await this.#endFault?.();
    await Promise.all(this.#followers.map((follower) => follower.close()));
    await this.installation.dispose();
  }
}

const seconds = (ms: number) => (ms / 1_000).toFixed(0);
