import type { Log } from "../../base/log.ts";
import { type Clamd, ScannerAway } from "./clamd.ts";
import { scoreOfSent } from "./judge.ts";
import type { Envelope, Outside, Rspamd } from "./rspamd.ts";

export interface ScannerOptions {
  /** From which score on mail goes to Junk; undefined when spam is not judged. */
  junkScore: number | undefined;
  rspamd: Rspamd | undefined;
  clamd: Clamd | undefined;
  /** What becomes of mail while the virus scanner is away: it is refused for now, or taken and held until it was scanned. */
  whenAway: "defer" | "hold";
  log: Log;
}

/** What is known of a message before it is accepted. */
export interface Arrived {
  virus: string | undefined;
  unscanned: boolean;
  /** JSON of `Outside`; null when the built-in scorer is to judge. */
  spam: string | null;
}

/** The scanners that all mail passes, in both directions. */
export class Scanners {
  readonly #options: ScannerOptions;

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  get junkScore(): number | undefined {
    return this.#options.junkScore;
  }

  get rspamd(): Rspamd | undefined {
    return this.#options.rspamd;
  }

  /** Throws ScannerAway if the policy is to defer. */
  async onArrival(mail: Envelope & { message: Buffer }): Promise<Arrived> {
    const [found, spam] = await Promise.all([this.#scan(mail.message), this.#filter(mail)]);
    return { ...found, spam };
  }

  /** The name of a virus in the message. Throws ScannerAway. */
  async findVirus(message: Buffer): Promise<string | undefined> {
    return this.#options.clamd?.find(message);
  }

  /** Whether messages can be scanned for viruses, as far as the scanner says without one. */
  async canFindViruses(): Promise<boolean> {
    return (await this.#options.clamd?.isThere()) ?? true;
  }

  /** How spammy a message is that one of our users sends; undefined when nobody judges. */
  async scoreOutgoing(mail: Envelope & { message: Buffer }): Promise<number | undefined> {
    if (this.junkScore === undefined) return undefined;
    const outside = await this.#filter(mail);
    return outside === null ? scoreOfSent(mail.message) : (JSON.parse(outside) as Outside).scan.score;
  }

  async #scan(message: Buffer): Promise<Omit<Arrived, "spam">> {
    try {
      return { virus: await this.findVirus(message), unscanned: false };
    } catch (error) {
      if (!(error instanceof ScannerAway) || this.#options.whenAway === "defer") throw error;
      this.#options.log.warn({ reason: error.message }, "mail is held until it can be scanned");
      return { virus: undefined, unscanned: true };
    }
  }

  /** A filter that is away delays nothing: the built-in scorer takes its place. */
  async #filter(mail: Envelope & { message: Buffer }): Promise<string | null> {
    const { rspamd, log } = this.#options;
    if (!rspamd) return null;
    try {
      return JSON.stringify(await rspamd.check(mail.message, mail));
    } catch (error) {
      log.warn({ reason: (error as Error).message }, "rspamd does not answer: the built-in scorer judges");
      return null;
    }
  }
}
