import { ScannerAway } from "../../mail/scan/clamd.ts";
import type { MailOutOptions } from "./options.ts";

const firstPauseMs = 2_000;
const maxPauseMs = 60_000;

/** Scans what goes out. When the virus scanner is away, it is left alone until it answers again, which is asked for. */
export class ScanGate {
  readonly #options: Pick<MailOutOptions, "scanners" | "log">;
  readonly #onBack: () => Promise<void>;
  #away: ScannerAway | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #isClosed = false;

  /** `onBack` is called each time the scanner is back. */
  constructor(options: Pick<MailOutOptions, "scanners" | "log">, onBack: () => Promise<void>) {
    this.#options = options;
    this.#onBack = onBack;
  }

  get isShut(): boolean {
    return this.#away !== undefined;
  }

  /** The name of a virus in the message. Throws ScannerAway. */
  async findVirus(message: Buffer): Promise<string | undefined> {
    if (this.#away) throw this.#away;
    try {
      const virus = await this.#options.scanners.findVirus(message);
      this.#pauseMs = firstPauseMs;
      return virus;
    } catch (error) {
      if (error instanceof ScannerAway) this.shut(error);
      throw error;
    }
  }

  shut(reason: ScannerAway): void {
    if (this.#away) return;
    this.#away = reason;
    this.#options.log.warn({ reason: reason.message }, "outgoing mail is held until it can be scanned");
    this.#askAfter(this.#pauseMs);
    // A scanner that answers but can't scan is asked ever more rarely.
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxPauseMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #askAfter(pauseMs: number): void {
    this.#timer = setTimeout(() => void this.#ask(), pauseMs);
    this.#timer.unref();
  }

  async #ask(): Promise<void> {
    const { scanners, log } = this.#options;
    const isBack = await scanners.canFindViruses();
    if (this.#isClosed) return;
    if (!isBack) return this.#askAfter(firstPauseMs);
    this.#away = undefined;
    log.info({}, "the virus scanner is back");
    await this.#onBack().catch((error: unknown) => log.warn({ err: error }, "held mail goes out a little later"));
  }
}
