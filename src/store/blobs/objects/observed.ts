import type { Readable } from "node:stream";
import type { Events, ObjectOperation } from "../../../base/events.ts";
import { traced } from "../../../base/traces.ts";
import type { ObjectKey, ObjectStore, StoredBlob } from "./object-store.ts";

/** Reports each operation on objects when it ends. */
export class ObservedObjects implements ObjectStore {
  readonly #objects: ObjectStore;
  readonly #events: Pick<Events, "objectOperationEnded">;

  constructor(objects: ObjectStore, events: Pick<Events, "objectOperationEnded">) {
    this.#objects = objects;
    this.#events = events;
  }

  put(key: ObjectKey, bytes: Uint8Array): Promise<void> {
    return this.#observe("put", () => this.#objects.put(key, bytes));
  }

  putTogether(blob: StoredBlob, bytes: Uint8Array): Promise<StoredBlob> {
    return this.#observe("put", () => this.#objects.putTogether(blob, bytes));
  }

  putFile(key: ObjectKey, path: string): Promise<void> {
    return this.#observe("put", () => this.#objects.putFile(key, path));
  }

  temporaryPath(): Promise<string> {
    return this.#objects.temporaryPath();
  }

  read(key: ObjectKey, start?: number, end?: number): Promise<Buffer | undefined> {
    const isThere = (bytes: Buffer | undefined) => bytes !== undefined;
    return this.#observe("read", () => this.#objects.read(key, start, end), isThere);
  }

  stream(key: ObjectKey, start: number, end: number): Readable {
    const begunAt = performance.now();
    const stream = this.#objects.stream(key, start, end);
    const closed = new Promise<void>((resolve, reject) => {
      stream.once("close", () => {
        this.#tell("stream", begunAt, stream.errored ? "failed" : "ok");
        if (stream.errored) reject(stream.errored);
        else resolve();
      });
    });
    // Whoever reads the stream hears of its error.
    traced(
      "object",
      () => ({ operation: "stream" }),
      () => closed,
    ).catch(() => {});
    return stream;
  }

  exists(key: ObjectKey): Promise<boolean> {
    return this.#observe("size", () => this.#objects.exists(key));
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return this.#observe("size", () => this.#objects.size(key));
  }

  days(): Promise<string[]> {
    return this.#observe("days", () => this.#objects.days());
  }

  async *list(day?: string): AsyncIterable<StoredBlob> {
    const begunAt = performance.now();
    let outcome: "ok" | "failed" = "ok";
    try {
      yield* this.#objects.list(day);
    } catch (error) {
      outcome = "failed";
      throw error;
    } finally {
      this.#tell("list", begunAt, outcome);
    }
  }

  remove(keys: readonly ObjectKey[]): Promise<boolean[]> {
    return this.#observe("remove", () => this.#objects.remove(keys));
  }

  claim(installation: string): Promise<string> {
    return this.#objects.claim(installation);
  }

  check(): Promise<string | undefined> {
    return this.#objects.check();
  }

  tidy(): Promise<void> {
    return this.#objects.tidy();
  }

  async #observe<T>(
    operation: ObjectOperation,
    work: () => Promise<T>,
    isThere: (result: T) => boolean = () => true,
  ): Promise<T> {
    const begunAt = performance.now();
    try {
      const result = await traced("object", () => ({ operation }), work);
      this.#tell(operation, begunAt, isThere(result) ? "ok" : "missing");
      return result;
    } catch (error) {
      this.#tell(operation, begunAt, "failed");
      throw error;
    }
  }

  #tell(operation: ObjectOperation, begunAt: number, outcome: "ok" | "missing" | "failed"): void {
    this.#events.objectOperationEnded({ operation, outcome, seconds: (performance.now() - begunAt) / 1000 });
  }
}
