import { Readable } from "node:stream";
import type { ObjectKey, ObjectStore, StoredBlob } from "./object-store.ts";

/** Objects that are being moved: written to the first place, and read where they are. */
export class TwoPlaces implements ObjectStore {
  readonly #first: ObjectStore;
  readonly #second: ObjectStore;

  constructor(first: ObjectStore, second: ObjectStore) {
    this.#first = first;
    this.#second = second;
  }

  put(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    return this.#first.put(key, bytes);
  }

  putTogether(blob: StoredBlob, bytes: Uint8Array): Promise<StoredBlob> {
    return this.#first.putTogether(blob, bytes);
  }

  putFile(key: ObjectKey, path: string): Promise<void> {
    return this.#first.putFile(key, path);
  }

  temporaryPath(): Promise<string> {
    return this.#first.temporaryPath();
  }

  async read(key: ObjectKey, start?: number, end?: number): Promise<Buffer | undefined> {
    return (await this.#first.read(key, start, end)) ?? this.#second.read(key, start, end);
  }

  stream(key: ObjectKey, start: number, end: number): Readable {
    const pieces = async function* (this: TwoPlaces) {
      const place = (await this.#first.exists(key)) ? this.#first : this.#second;
      yield* place.stream(key, start, end);
    };
    return Readable.from(pieces.call(this), { objectMode: false });
  }

  async exists(key: ObjectKey): Promise<boolean> {
    return (await this.#first.exists(key)) || this.#second.exists(key);
  }

  async size(key: ObjectKey): Promise<number | undefined> {
    return (await this.#first.size(key)) ?? this.#second.size(key);
  }

  async days(): Promise<string[]> {
    const both = await Promise.all([this.#first.days(), this.#second.days()]);
    return [...new Set(both.flat())].sort();
  }

  /** Each once. The second place comes first: what is copied meanwhile stays there, so that none is missed. */
  async *list(day?: string): AsyncIterable<StoredBlob> {
    yield* this.#second.list(day);
    for await (const object of this.#first.list(day)) if (!(await this.#second.exists(object))) yield object;
  }

  /** From the second place first: what is copied is removed from the first place afterwards, or by who copies it. */
  async remove(keys: readonly ObjectKey[]): Promise<boolean[]> {
    const wereInSecond = await this.#second.remove(keys);
    const wereInFirst = await this.#first.remove(keys);
    return wereInFirst.map((was, index) => was || wereInSecond[index]!);
  }

  /** Both must be of the same installation. */
  async claim(installation: string): Promise<string> {
    const first = await this.#first.claim(installation);
    return first === installation ? this.#second.claim(installation) : first;
  }

  check(): Promise<string | undefined> {
    return this.#first.check();
  }

  async tidy(): Promise<void> {
    await Promise.all([this.#first.tidy(), this.#second.tidy()]);
  }
}
