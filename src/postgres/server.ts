import type { ChildProcess } from "node:child_process";
import { statfsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Log } from "../base/log.ts";
import type { Layout } from "./layout.ts";
import { type Connection, ensureDatabase, ownerName, takeOwnership, tryConnect } from "./owner.ts";
import { clearOwner } from "./owner-record.ts";
import {
  clearRemains,
  isAlive,
  isPassing,
  kill,
  lastComplaint,
  logSize,
  processesIn,
  recordedArguments,
  recordedPid,
  serverArguments,
  spawnServer,
  trimLog,
} from "./postmaster.ts";
import { InUseError, StartError } from "./start-error.ts";

export interface ExitInfo {
  /** Null for a server that was taken over: only its parent process learns the code. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How long a server may answer "starting": recovery reads up to a gigabyte of log. */
const usualRecoveryMs = 600_000;
const maxStartAttempts = 8;
const maxFastStopMs = 20_000;
const maxHardStopMs = 5_000;
const minFreeBytes = 2 ** 20;

/** The database server of one data folder: restarts it whenever it dies, and holds the lock on the folder. */
export class Server {
  pid = 0;
  readonly #layout: Layout;
  readonly #connection: Connection;
  readonly #log: Log;
  readonly #isPassing: boolean;
  readonly #maxRecoveryMs: number;
  readonly #exitCallbacks: ((info: ExitInfo) => void)[] = [];
  readonly #lostCallbacks: ((error: Error) => void)[] = [];
  #child: ChildProcess | undefined;
  #lock: pg.Client | undefined;
  #stopping: Promise<void> | undefined;
  #recovery: Promise<void> | undefined;
  readonly #stopSignal = new AbortController();
  /** The log's size when the child was started. */
  #logOffset = 0;
  #spawnError: Error | undefined;
  #logTimer: NodeJS.Timeout | undefined;

  constructor(
    layout: Layout,
    connection: Connection,
    { log, isPassing, maxRecoveryMs }: { log: Log; isPassing: boolean; maxRecoveryMs?: number | undefined },
  ) {
    this.#layout = layout;
    this.#connection = connection;
    this.#log = log;
    this.#isPassing = isPassing;
    this.#maxRecoveryMs = maxRecoveryMs ?? usualRecoveryMs;
  }

  onExit(callback: (info: ExitInfo) => void): void {
    this.#exitCallbacks.push(callback);
  }

  onLost(callback: (error: Error) => void): void {
    this.#lostCallbacks.push(callback);
  }

  async start(): Promise<void> {
    process.once("exit", this.#leave);
    try {
      await this.#acquire();
    } catch (error) {
      process.off("exit", this.#leave);
      // If another process owns the server, only that process may stop it, even though it is our child.
      if (!(error instanceof InUseError) && this.#childRuns() && this.#child?.pid) await terminate(this.#child.pid);
      throw error;
    }
    this.#logTimer = setInterval(() => this.#trim(), 60_000).unref();
  }

  /** Stops the server when this process exits without calling stop(). */
  readonly #leave = () => {
    const pid = this.pid || (this.#childRuns() && this.#child?.pid);
    if (pid) kill(pid, "SIGINT");
  };

  /** Connects to the folder's server, starting one while there is none, and takes the owner's lock. */
  async #acquire(): Promise<void> {
    const deadline = Date.now() + this.#maxRecoveryMs;
    for (let attempts = 0; !this.#stopping; ) {
      const name = ownerName({ pid: process.pid, isPassing: this.#isPassing });
      const client = await tryConnect({ ...this.#connection, database: "postgres" }, name);
      if (typeof client !== "string") {
        if (await this.#adopt(client)) return;
        continue;
      }
      if (Date.now() > deadline) throw this.#failure("did not become ready");
      if (client === "starting" || this.#childRuns()) {
        await this.#pause(20);
        continue;
      }
      if (attempts === maxStartAttempts || (attempts > 0 && this.#isHopeless())) throw this.#failure("did not start");
      if (attempts > 0) await this.#pause(50 * 2 ** Math.min(attempts, 5));
      if (attempts > 1) clearRemains(this.#layout);
      attempts++;
      if (!this.#stopping) this.#spawn();
    }
    throw new StartError("the database was stopped");
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopSignal.signal }).catch(() => {});
  }

  #complaint(): string | undefined {
    return this.#spawnError?.message ?? lastComplaint(this.#layout.logFile, this.#logOffset, this.#child?.pid ?? 0);
  }

  #isHopeless(): boolean {
    const complaint = this.#complaint();
    return complaint !== undefined && !isPassing(complaint);
  }

  #failure(what: string): StartError {
    const silence = hasRoom(this.#layout.data)
      ? "it logged no reason"
      : `no room is left on the disk of ${this.#layout.data}`;
    return new StartError(`Postgres ${what}: ${this.#complaint() ?? silence} (see ${this.#layout.logFile})`);
  }

  /** Returns false if the connection was lost, or if the server had other settings or another version and was stopped. */
  async #adopt(client: pg.Client): Promise<boolean> {
    try {
      await takeOwnership(client, this.#layout.data, this.#isPassing);
      const pid = recordedPid(this.#layout.pg);
      if (pid === undefined || processesIn(this.#layout.pg)?.includes(pid) === false) {
        throw new StartError(`the server of ${this.#layout.data} runs in another container: stop that container first`);
      }
      if (pid !== this.#child?.pid && !this.#sameSettings()) {
        await terminate(pid);
        return false;
      }
      await ensureDatabase(client, this.#connection.database);
      // The server that died may still have been alive when its connection broke, so report its death now.
      if (this.pid !== 0 && this.pid !== pid) this.#reportDeath({ code: null, signal: null });
      this.pid = pid;
    } catch (error) {
      await client.end().catch(() => {});
      if (error instanceof StartError) throw error;
      const { code } = error as { code?: string };
      if (code !== undefined && !code.startsWith("57P") && !code.startsWith("E")) throw error;
      return false;
    }
    this.#lock = client;
    client.once("end", () => this.#connectionEnded(client));
    return true;
  }

  #sameSettings(): boolean {
    const recorded = recordedArguments(this.#layout.pg);
    const wanted = serverArguments(this.#layout).map((argument) => `"${argument}"`);
    return recorded?.endsWith(wanted.join(" ")) ?? false;
  }

  #childRuns(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  #spawn(): void {
    trimLog(this.#layout.logFile);
    this.#logOffset = logSize(this.#layout.logFile);
    this.#spawnError = undefined;
    const child = spawnServer(this.#layout);
    this.#child = child;
    child.once("error", (error) => {
      this.#spawnError = error;
    });
    child.once("exit", (code, signal) => {
      if (child.pid === this.pid) this.#serverDied({ code, signal });
    });
  }

  #connectionEnded(client: pg.Client): void {
    if (this.#lock !== client) return;
    this.#lock = undefined;
    if (this.#stopping) return;
    const { pid } = this;
    if (pid !== this.#child?.pid && !isAlive(pid)) this.#serverDied({ code: null, signal: null });
    else this.#recover();
  }

  #serverDied(info: ExitInfo): void {
    if (this.#stopping || this.pid === 0) return;
    this.#reportDeath(info);
    this.#recover();
  }

  #reportDeath(info: ExitInfo): void {
    this.#log.error({ pid: this.pid, ...info }, "Postgres died; restarting it");
    this.pid = 0;
    for (const callback of this.#exitCallbacks) callback(info);
  }

  #recover(): void {
    this.#recovery ??= this.#bringBack().finally(() => {
      this.#recovery = undefined;
    });
  }

  async #bringBack(): Promise<void> {
    const began = Date.now();
    for (let delay = 100; !this.#stopping; delay = Math.min(delay * 2, 10_000)) {
      try {
        await this.#acquire();
        this.#log.info({ pid: this.pid, milliseconds: Date.now() - began }, "Postgres is back");
        return;
      } catch (error) {
        if (this.#stopping) return;
        if (error instanceof InUseError) {
          this.#lose(error);
          return;
        }
        this.#log.error({ error: (error as Error).message }, "Postgres did not restart; trying again");
        await this.#pause(delay);
      }
    }
  }

  /** Another process took the folder while the server was down. Two mail servers must not share one folder. */
  #lose(error: InUseError): void {
    this.#log.error({ error: error.message }, "another process took the data folder");
    this.pid = 0;
    // The child may belong to the other process by now, so stop() must leave it alone.
    this.#child = undefined;
    if (this.#lostCallbacks.length === 0) {
      setImmediate(() => {
        throw error;
      });
    }
    for (const callback of this.#lostCallbacks) callback(error);
  }

  #trim(): void {
    try {
      trimLog(this.#layout.logFile);
    } catch (error) {
      this.#log.warn({ error: (error as Error).message }, "Postgres's log could not be trimmed");
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  async #shutDown(): Promise<void> {
    clearInterval(this.#logTimer);
    this.#stopSignal.abort();
    await this.#recovery;
    // The lock is not taken yet on a server that was just restarted.
    const child = this.#childRuns() ? this.#child?.pid : undefined;
    const pid = this.pid || child;
    // The lock's connection stays open until the server closes it, so no other process can take the folder before.
    if (pid) await terminate(pid);
    await this.#lock?.end().catch(() => {});
    this.#lock = undefined;
    this.pid = 0;
    process.off("exit", this.#leave);
    clearOwner(this.#layout.data);
  }
}

/** On a full disk the log cannot say what failed. */
function hasRoom(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > minFreeBytes;
}

/** Tries a fast shutdown, then an immediate one, then a kill. Acknowledged commits survive all three. */
async function terminate(pid: number): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ["SIGINT", maxFastStopMs],
    ["SIGQUIT", maxHardStopMs],
    ["SIGKILL", maxHardStopMs],
  ];
  for (const [signal, limit] of steps) {
    kill(pid, signal);
    for (const end = Date.now() + limit; Date.now() < end; await sleep(20)) if (!isAlive(pid)) return;
  }
}
