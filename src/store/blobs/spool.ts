import { createHash, type Hash } from "node:crypto";
import type { ObjectStore, StoredBlob } from "./objects/object-store.ts";
import { Pile, Room } from "./pile.ts";

const noRoom = new Room(0);

/** A pile that is hashed while it fills and stored unchanged as a blob. */
export class Spool extends Pile {
  readonly #today: () => string;
  readonly #hash: Hash = createHash("sha256");
  #stored: StoredBlob | undefined;

  constructor(objects: ObjectStore, maxBytes: number, today: () => string) {
    super(objects, maxBytes, noRoom);
    this.#today = today;
  }

  protected override passing(block: Uint8Array): void {
    this.#hash.update(block);
  }

  /** Durable on return. Nothing may be written afterwards. */
  async finish(): Promise<StoredBlob> {
    await this.endBlock();
    this.#stored ??= { sha256: this.#hash.digest(), day: this.#today(), size: this.size, pack: null };
    const stored = this.#stored;
    const isMoved = await this.moveFile((path) => this.objects.putFile(stored, path));
    if (!isMoved) await this.objects.put(stored, await this.bytes());
    return stored;
  }
}
