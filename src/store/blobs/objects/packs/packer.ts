import type { ObjectKey } from "../object-store.ts";
import { maxMembers } from "./format.ts";
import type { NewBody } from "./packs.ts";

export interface PackerOptions {
  /** Durable on return. For each body of the day, its `pack`. */
  write(day: string, bodies: readonly NewBody[]): Promise<Buffer[]>;
  /** Durable on return: an object of its own. */
  writeAlone(key: ObjectKey, bytes: Uint8Array): Promise<void>;
}

/** How long the first body in a pack waits for others. */
const maxWaitMs = 20;
const maxPackBytes = 4 * 1024 * 1024;

interface OpenPack {
  day: string;
  /** By hash: who puts the same twice shares a member. */
  bodies: Map<string, NewBody>;
  bytes: number;
  /** Ends the wait for others. */
  cancel: () => void;
  /** For each hash, the `pack` of its body; null for an object of its own. */
  written: PromiseWithResolvers<ReadonlyMap<string, Buffer | null>>;
}

/**
 * Group commit: bodies that are put within 20 ms are written together, and all hear of it when that is durable, or failed.
 * Waits only where company is to be expected: while another write is under way, or when the last one was of several.
 */
export class Packer {
  readonly #options: PackerOptions;
  #open: OpenPack | undefined;
  #running = 0;
  #hadCompany = false;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** Durable on return. Null when it became an object of its own. */
  async put(key: ObjectKey, bytes: Uint8Array): Promise<Buffer | null> {
    const { day, sha256 } = key;
    const hash = sha256.toString("hex");
    if (this.#open && (this.#open.day !== day || this.#open.bytes + bytes.length > maxPackBytes)) this.#close();
    this.#open ??= this.#begin(day);
    const { bodies, written } = this.#open;
    if (!bodies.has(hash)) {
      bodies.set(hash, { sha256, bytes });
      this.#open.bytes += bytes.length;
      if (bodies.size === maxMembers) this.#close();
    }
    return (await written.promise).get(hash) ?? null;
  }

  #begin(day: string): OpenPack {
    const waits = this.#running > 0 || this.#hadCompany;
    const timer = waits ? setTimeout(() => this.#close(), maxWaitMs) : setImmediate(() => this.#close());
    const cancel = () => (waits ? clearTimeout(timer as NodeJS.Timeout) : clearImmediate(timer as NodeJS.Immediate));
    return { day, bodies: new Map(), bytes: 0, cancel, written: Promise.withResolvers() };
  }

  /** Begins to write what is in the open pack. */
  #close(): void {
    const { day, bodies, cancel, written } = this.#open!;
    this.#open = undefined;
    cancel();
    this.#hadCompany = bodies.size > 1;
    this.#running++;
    this.#write(day, bodies)
      .then(written.resolve, written.reject)
      .finally(() => this.#running--);
  }

  async #write(day: string, bodies: ReadonlyMap<string, NewBody>): Promise<ReadonlyMap<string, Buffer | null>> {
    const [first, ...others] = bodies.values();
    if (others.length === 0) {
      await this.#options.writeAlone({ day, sha256: first!.sha256 }, first!.bytes);
      return new Map();
    }
    const packs = await this.#options.write(day, [first!, ...others]);
    return new Map([...bodies.keys()].map((hash, index) => [hash, packs[index]!]));
  }
}
