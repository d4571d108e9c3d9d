import { computed, type Signal, signal } from "@preact/signals";
import { type Upload, upload } from "../../shared/jmap/blobs.ts";
import type { Id, Session } from "../../shared/jmap/types.ts";

/** A file of a mail that is being written. */
export interface Attached {
  key: string;
  name: string;
  type: string;
  size: number;
  /** Undefined while it is on its way to the server. */
  blobId?: Id | undefined;
  /** It is a picture in the text. */
  cid?: string | undefined;
}

/** A file that is not at the server yet. */
interface Coming {
  upload: Upload | undefined;
  share: Signal<number>;
  fault: Signal<string | undefined>;
}

/** The server takes so many at a time, over all tabs; one is left for them. */
const maxUnderWay = 3;

interface Options {
  session: Session;
  accountId: Id;
  /** Called with each change that belongs into the draft. */
  onChange(): void;
  /** What to say of a file that did not arrive. */
  explain(error: Error): string;
}

let lastKey = 0;

/** The files of a mail: attached, and pictures in its text. */
export class Files {
  readonly list = signal<readonly Attached[]>([]);
  /** Whether each of them is at the server. */
  readonly areThere = computed(() => this.list.value.every(({ blobId }) => blobId !== undefined));
  readonly octets = computed(() => this.list.value.reduce((sum, { size }) => sum + size, 0));
  readonly #options: Options;
  readonly #coming = new Map<string, Coming>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Files that are at the server: of a draft, or of a mail that is passed on. */
  take(files: readonly Omit<Attached, "key">[]): void {
    this.list.value = [...this.list.peek(), ...files.map((file) => ({ ...file, key: newKey() }))];
  }

  /** Uploads a file; `cid` makes it a picture in the text. */
  add(file: File, cid?: string): void {
    const attached: Attached = {
      key: newKey(),
      name: file.name || "file",
      type: file.type || "application/octet-stream",
      size: file.size,
      cid,
    };
    this.list.value = [...this.list.peek(), attached];
    this.#options.onChange();
    void this.#bring(attached, file);
  }

  /** How far a file has come, from 0 to 1; undefined if it is there. */
  shareOf({ key }: Attached): Signal<number> | undefined {
    return this.#coming.get(key)?.share;
  }

  /** Why a file did not arrive. */
  faultOf({ key }: Attached): Signal<string | undefined> | undefined {
    return this.#coming.get(key)?.fault;
  }

  remove({ key }: Attached): void {
    this.#coming.get(key)?.upload?.abort();
    this.#coming.delete(key);
    this.list.value = this.list.peek().filter((one) => one.key !== key);
    this.#options.onChange();
  }

  /** Other names for the same octets: those in the draft that was just saved, which stay as long as it does. */
  rename(blobIds: ReadonlyMap<string, Id>): void {
    this.list.value = this.list.peek().map((one) => ({ ...one, blobId: blobIds.get(one.key) ?? one.blobId }));
  }

  /** Gives up what is on its way. */
  stop(): void {
    for (const { upload } of this.#coming.values()) upload?.abort();
  }

  async #bring(attached: Attached, file: File): Promise<void> {
    const { session, accountId, onChange, explain } = this.#options;
    const coming: Coming = { upload: undefined, share: signal(0), fault: signal(undefined) };
    this.#coming.set(attached.key, coming);
    try {
      await this.#turn(async () => {
        if (!this.#coming.has(attached.key)) return;
        coming.upload = upload(session, accountId, file, (share) => {
          coming.share.value = share;
        });
        const { blobId } = await coming.upload.done;
        this.#coming.delete(attached.key);
        this.list.value = this.list.peek().map((one) => (one.key === attached.key ? { ...one, blobId } : one));
        onChange();
      });
    } catch (error) {
      coming.fault.value = explain(error as Error);
    }
  }

  async #turn(work: () => Promise<void>): Promise<void> {
    if (this.#underWay >= maxUnderWay) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay++;
    try {
      await work();
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }
}

const newKey = (): string => `f${++lastKey}`;
