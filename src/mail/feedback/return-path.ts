import { createHmac, timingSafeEqual } from "node:crypto";
import type { Database } from "../../store/core/database.ts";
import { InstallationKey } from "../../store/core/installation-key.ts";

/** The mail that a token stands for. */
export interface SentMail {
  userId: number;
  submissionId: number;
}

/** `invalid`: it has the form of a token, but is not signed by this installation or is too old. */
export type Read = { kind: "none" } | { kind: "invalid" } | { kind: "valid"; mail: SentMail };

const dayMs = 86_400_000;
/** RFC 5321 §4.5.4.1: other servers try for 5 days or a little longer; their reports may be late too. */
const validDays = 14;
/** All in base 36: the account, the submission, the day of the transaction; then 80 bits of the signature in base 32. */
const form = /^rp-([0-9a-z]{1,11})-([0-9a-z]{1,11})-([0-9a-z]{1,4})-([a-z2-7]{16})$/;
const anywhere = /\brp-[0-9a-z]{1,11}-[0-9a-z]{1,11}-[0-9a-z]{1,4}-[a-z2-7]{16}(?=@)/gi;
const maxFound = 10;
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** What may be return paths of ours in a text: their local parts, the first few. */
export const returnPathsIn = (text: string): string[] => [...new Set(text.match(anywhere))].slice(0, maxFound);

/**
 * Return paths of mail that leaves: a signed local part, 50 octets at most, that other servers may write in capitals. So a
 * report names the mail that it is about, and only those who have got the mail can make one.
 */
export class ReturnPaths {
  readonly #key: InstallationKey;

  constructor(database: Database) {
    this.#key = new InstallationKey(database, "return_path_key");
  }

  /** The address that stands for the mail in an SMTP transaction at this time. */
  async address(mail: SentMail, domain: string, at: Date): Promise<string> {
    return `${await this.#sign("return path", mail, at)}@${domain}`;
  }

  /** Reads a local part. */
  async read(local: string, now: Date): Promise<Read> {
    return this.#verify("return path", local, now);
  }

  /** A mark for mail between our own users: who has sent it. Nobody outside gets one, so nobody outside can use it. */
  origin(mail: SentMail, at: Date): Promise<string> {
    return this.#sign("origin", mail, at);
  }

  async readOrigin(mark: string): Promise<SentMail | undefined> {
    const read = await this.#verify("origin", mark, undefined);
    return read.kind === "valid" ? read.mail : undefined;
  }

  async #sign(use: string, { userId, submissionId }: SentMail, at: Date): Promise<string> {
    const day = Math.floor(at.getTime() / dayMs);
    const text = [userId, submissionId, day].map((number) => number.toString(36)).join("-");
    return `rp-${text}-${await this.#mac(use, text)}`;
  }

  async #verify(use: string, given: string, now: Date | undefined): Promise<Read> {
    const [, userId, submissionId, day, mac] = form.exec(given.toLowerCase()) ?? [];
    if (userId === undefined) return { kind: "none" };
    const expected = await this.#mac(use, `${userId}-${submissionId}-${day}`);
    if (!timingSafeEqual(Buffer.from(mac!), Buffer.from(expected))) return { kind: "invalid" };
    const age = now === undefined ? 0 : Math.floor(now.getTime() / dayMs) - Number.parseInt(day!, 36);
    if (age > validDays) return { kind: "invalid" };
    return {
      kind: "valid",
      mail: { userId: Number.parseInt(userId, 36), submissionId: Number.parseInt(submissionId!, 36) },
    };
  }

  async #mac(use: string, text: string): Promise<string> {
    const digest = createHmac("sha256", await this.#key.load())
      .update(`${use} ${text}`)
      .digest();
    const bits = digest.subarray(0, 10).reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
    return Array.from({ length: 16 }, (_, at) => alphabet[Number((bits >> BigInt(5 * (15 - at))) & 31n)]).join("");
  }
}
