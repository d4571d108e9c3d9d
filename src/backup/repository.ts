import { timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../base/clock.ts";
import { type Holder, thisProcess } from "../base/holder.ts";
import { type ObjectKey, objectName } from "../store/blobs/objects/object-store.ts";
import { BackupError, DamagedBackup } from "./backup-error.ts";
import type { BackupKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";
import type { Place, PlacedFile } from "./places/place.ts";
import { open, seal } from "./seal.ts";

/** Says what the folder is, and under which key; the only file that is not sealed, but for the lock. */
const headFile = "posthorn-backup";
const lockFile = "lock";
const format = 1;
/** A lock that was not renewed for so long is that of a dead process. */
const lockForMs = 10 * 60_000;
const renewMs = 60_000;

export interface Surroundings {
  clock: Clock;
  random: Random;
  /** (Default: this process) */
  holder?: Holder;
}

/** The backups of one installation in one place, under one key. */
export class Repository {
  readonly id: string;
  readonly place: Place;
  readonly #key: BackupKey;
  readonly #surroundings: Surroundings;

  private constructor(id: string, place: Place, key: BackupKey, surroundings: Surroundings) {
    this.id = id;
    this.place = place;
    this.#key = key;
    this.#surroundings = surroundings;
  }

  /** Throws BackupError if the place holds nothing (and `begins` is false), or if the key is another one. */
  static async open(
    place: Place,
    key: BackupKey,
    surroundings: Surroundings & { begins?: boolean },
  ): Promise<Repository> {
    const found = await place.get(headFile);
    if (found) return new Repository(idIn(found, place, key), place, key, surroundings);
    if (!surroundings.begins) throw new BackupError(`there is no backup in ${place.name}`);
    const id = surroundings.random(8).toString("hex");
    const head = { format, key: key.id, repository: id };
    const isFirst = await place.put(headFile, Buffer.from(`${JSON.stringify({ ...head, mac: macOf(key, id) })}\n`), {
      isNew: true,
    });
    await place.settle();
    if (!isFirst) return Repository.open(place, key, surroundings);
    return new Repository(id, place, key, surroundings);
  }

  async put(name: string, plain: Uint8Array): Promise<void> {
    await this.place.put(name, await seal(this.#key, name, plain, this.#surroundings.random));
  }

  /** Throws DamagedBackup if it is missing, or not as it was written. */
  async get(name: string): Promise<Buffer> {
    const sealed = await this.place.get(name);
    if (!sealed) throw new DamagedBackup(name, "is missing");
    return open(this.#key, name, sealed);
  }

  /** The name of a body's first file below `bodies/<day>/`: a hash under the key, so that it tells nothing of the mail. */
  bodyName(key: ObjectKey): string {
    return this.#key.derive("body", Buffer.from(objectName(key))).toString("hex");
  }

  /** Those that were finished, oldest first. */
  async backups(): Promise<Manifest[]> {
    const manifests: Manifest[] = [];
    for await (const { name } of this.place.list("backups/")) {
      if (name.endsWith("/manifest")) manifests.push(JSON.parse((await this.get(name)).toString()) as Manifest);
    }
    return manifests.sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** The files of backups that were not finished. */
  async *unfinished(): AsyncGenerator<PlacedFile> {
    const finished = new Set((await this.backups()).map(({ id }) => id));
    for await (const file of this.place.list("backups/")) if (!finished.has(file.name.split("/")[1]!)) yield file;
  }

  /** Runs what changes the repository, while no other process does. Throws BackupError if one is at it. */
  async locked<T>(work: () => Promise<T>): Promise<T> {
    await this.#lock();
    const timer = setInterval(() => void this.#renew().catch(() => {}), renewMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await this.place.remove(lockFile);
    }
  }

  async #lock(): Promise<void> {
    const { clock, holder = thisProcess } = this.#surroundings;
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await this.place.put(lockFile, this.#lockText(), { isNew: true })) return;
      const found = await this.place.get(lockFile);
      if (!found) continue;
      const { by, at } = parsed<{ by: string; at: string }>(found) ?? { by: "", at: "" };
      const isLeft = holder.isGone(by) || !(Date.parse(at) > clock.now().getTime() - lockForMs);
      if (!isLeft) throw new BackupError(`another posthorn works on the backup in ${this.place.name} (${by})`);
      await this.place.remove(lockFile);
    }
    throw new BackupError(`another posthorn works on the backup in ${this.place.name}`);
  }

  async #renew(): Promise<void> {
    await this.place.put(lockFile, this.#lockText());
  }

  #lockText(): Buffer {
    const { clock, holder = thisProcess } = this.#surroundings;
    return Buffer.from(`${JSON.stringify({ by: holder.name, at: clock.now().toISOString() })}\n`);
  }
}

function idIn(head: Buffer, place: Place, key: BackupKey): string {
  const found = parsed<{ format: number; key: string; repository: string; mac: string }>(head);
  if (typeof found?.repository !== "string" || typeof found.mac !== "string")
    throw new DamagedBackup(headFile, "is not as it was written");
  if (found.format !== format) throw new BackupError(`the backup in ${place.name} was made by a newer Posthorn`);
  if (found.key !== key.id)
    throw new BackupError(
      `the key is not the one of the backup in ${place.name}: it was made with key ${found.key}, and this is ${key.id}`,
    );
  const [mac, wanted] = [Buffer.from(found.mac), Buffer.from(macOf(key, found.repository))];
  if (mac.length !== wanted.length || !timingSafeEqual(mac, wanted))
    throw new DamagedBackup(headFile, "is not as it was written");
  return found.repository;
}

const macOf = (key: BackupKey, id: string): string => key.derive("head", Buffer.from(id)).toString("hex");

function parsed<T>(bytes: Buffer): T | undefined {
  try {
    return JSON.parse(bytes.toString()) as T;
  } catch {
    return undefined;
  }
}
