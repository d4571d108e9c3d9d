import type { Scan } from "../../store/mail/scans.ts";

/** The verdict of a spam filter outside, the same for all recipients. */
export interface Outside {
  scan: Omit<Scan, "marks">;
  isSpam: boolean;
}

/** Who sent a message by SMTP. */
export interface Peer {
  /** IP address. */
  address: string;
  helo: string;
}

export interface Envelope {
  /** "" for the null sender. */
  mailFrom: string;
  recipients: readonly { address: string }[];
  peer?: Peer;
}

const maxTimeMs = 10_000;
/** Actions by which rspamd says that a message is spam; greylisting is none. */
const spamActions = new Set(["reject", "add header", "rewrite subject", "quarantine"]);
const maxReasons = 40;

interface Answer {
  score: number;
  action: string;
  symbols?: Record<string, { score: number; description?: string }>;
}

/** rspamd over HTTP (its normal worker for checks, its controller for learning; one URL may serve both). */
export class Rspamd {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, "");
  }

  /** Throws when rspamd does not answer in time. */
  async check(message: Buffer, { mailFrom, recipients, peer }: Envelope): Promise<Outside> {
    const headers: [string, string][] = [
      ["From", mailFrom],
      ...recipients.map(({ address }): [string, string] => ["Rcpt", address]),
      ...(peer
        ? ([
            ["IP", peer.address],
            ["Helo", peer.helo],
          ] satisfies [string, string][])
        : []),
    ];
    const answer = JSON.parse(await this.#post("checkv2", message, headers)) as Answer;
    const symbols = Object.entries(answer.symbols ?? {});
    const scored = symbols.filter(([, { score }]) => score !== 0);
    // A symbol may decide without a score of its own.
    const reasons = (scored.length > 0 ? scored : symbols)
      .sort(([, a], [, b]) => Math.abs(b.score) - Math.abs(a.score))
      .slice(0, maxReasons)
      .map(([rule, { score, description }]) => ({ rule, points: score, reason: description ?? rule }));
    return { scan: { score: answer.score, reasons, by: "rspamd" }, isSpam: spamActions.has(answer.action) };
  }

  async learn(message: Buffer, isSpam: boolean): Promise<void> {
    await this.#post(isSpam ? "learnspam" : "learnham", message, []);
  }

  async #post(path: string, message: Buffer, headers: [string, string][]): Promise<string> {
    const ascii = headers.filter(([, value]) => /^[\x20-\x7e]*$/.test(value));
    const response = await fetch(`${this.#url}/${path}`, {
      method: "POST",
      body: new Uint8Array(message),
      headers: ascii,
      signal: AbortSignal.timeout(maxTimeMs),
    });
    // 208: it was learned before; 204: it has too few words.
    if (!response.ok) throw new Error(`rspamd answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
    return response.text();
  }
}
