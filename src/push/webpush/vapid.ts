import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { lru } from "../../base/lru.ts";
import type { Database } from "../../store/core/database.ts";
import { keepSetting } from "../../store/core/settings.ts";

const hourMs = 3_600_000;
/** RFC 8292 §2 allows a day at most. A token that is reused is valid for at least half of this. */
const lifeMs = 12 * hourMs;

/** Signs pushes so that push services know who sends them (RFC 8292). */
export class Vapid {
  /** The uncompressed P-256 point, in base64url. */
  readonly publicKey: string;
  readonly #key: KeyObject;
  readonly #contact: string;
  readonly #clock: Clock;
  readonly #tokens = lru<string, { token: string; until: number }>({ max: 1000 });

  constructor(pem: string, contact: string, clock: Clock) {
    this.#key = createPrivateKey(pem);
    this.#contact = contact;
    this.#clock = clock;
    const { x, y } = createPublicKey(this.#key).export({ format: "jwk" });
    const point = [Buffer.from([4]), Buffer.from(x!, "base64url"), Buffer.from(y!, "base64url")];
    this.publicKey = Buffer.concat(point).toString("base64url");
  }

  /** RFC 8292 §3: the Authorization header of a push to this origin. */
  authorization(origin: string): string {
    const now = this.#clock.now().getTime();
    let known = this.#tokens.get(origin);
    if (!known || known.until < now + lifeMs / 2) {
      known = { token: this.#sign(origin, now + lifeMs), until: now + lifeMs };
      this.#tokens.set(origin, known);
    }
    return `vapid t=${known.token}, k=${this.publicKey}`;
  }

  #sign(origin: string, until: number): string {
    const claims = { aud: origin, exp: Math.floor(until / 1000), sub: this.#contact };
    const content = [{ typ: "JWT", alg: "ES256" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const signature = sign("sha256", Buffer.from(content), { key: this.#key, dsaEncoding: "ieee-p1363" });
    return `${content}.${signature.toString("base64url")}`;
  }
}

/** Loads the installation's key pair, created once: clients bind their subscriptions at push services to it. */
export async function openVapid(database: Database, contact: string, clock: Clock): Promise<Vapid> {
  const pem = await keepSetting(database, "vapid_key", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  });
  return new Vapid(pem, contact, clock);
}
