import type { Certificate } from "../../smtp/inbound/certificate.ts";
import type { Database } from "../../store/core/database.ts";
import { dropSetting, findSetting, putSetting, settingsBeginning } from "../../store/core/settings.ts";

/** What proves to an authority that a name is ours. */
export type Challenge =
  | { type: "http-01"; token: string; keyAuthorization: string }
  | { type: "tls-alpn-01"; name: string; certificate: Certificate };

/** How long a process may not know of a new challenge. */
export const lookEveryMs = 1_000;
const httpPrefix = "acme_http_challenge ";
const alpnPrefix = "acme_alpn_challenge ";
const keyOf = (challenge: Challenge) =>
  challenge.type === "http-01" ? httpPrefix + challenge.token : alpnPrefix + challenge.name;
/** RFC 8555 §8.1: base64url. */
const tokenForm = /^[\w-]{16,200}$/;

/** Open challenges, kept in the database, since the authority may ask any process. */
export class Challenges {
  readonly #database: Database;
  #byName = new Map<string, Certificate>();
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(database: Database) {
    this.#database = database;
  }

  async put(challenge: Challenge): Promise<void> {
    const value = challenge.type === "http-01" ? challenge.keyAuthorization : JSON.stringify(challenge.certificate);
    await putSetting(this.#database, keyOf(challenge), value);
  }

  async drop(challenge: Challenge): Promise<void> {
    await dropSetting(this.#database, keyOf(challenge));
  }

  /** RFC 8555 §8.3: the key authorization for a token, if it is open. */
  async answer(token: string): Promise<string | undefined> {
    return tokenForm.test(token) ? findSetting(this.#database, httpPrefix + token) : undefined;
  }

  /** Reads which challenges by TLS are open, at most once a second. Before `certificateFor`, which can't wait. */
  async lookUp(): Promise<void> {
    if (performance.now() - this.#lookedAt < lookEveryMs) return;
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** RFC 8737 §3: the certificate that proves the name. */
  certificateFor(name: string): Certificate | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  async #read(): Promise<void> {
    const found = await settingsBeginning(this.#database, alpnPrefix);
    this.#byName = new Map(
      found.map(({ name, value }) => [name.slice(alpnPrefix.length), JSON.parse(value) as Certificate]),
    );
    this.#lookedAt = performance.now();
  }
}
