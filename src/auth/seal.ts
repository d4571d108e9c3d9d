import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { Database } from "../store/core/database.ts";
import { InstallationKey } from "../store/core/installation-key.ts";

const nonceLength = 12;
const tagLength = 16;

/**
 * Encrypts what only this installation may read again, with a key of its own in `setting`: secrets that are stored beside an
 * account, and what a browser keeps for us between two requests. What was sealed for one purpose opens for no other.
 */
export class Seal {
  readonly #key: InstallationKey;

  constructor(database: Database) {
    this.#key = new InstallationKey(database, "seal_key");
  }

  /** AES-256-GCM, in base64url. */
  async seal(purpose: string, content: string): Promise<string> {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv("aes-256-gcm", await this.#keyFor(purpose), nonce);
    const sealed = Buffer.concat([nonce, cipher.update(content, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return sealed.toString("base64url");
  }

  /** Undefined unless this installation sealed it for this purpose. */
  async open(purpose: string, text: string): Promise<string | undefined> {
    const sealed = Buffer.from(text, "base64url");
    if (sealed.length < nonceLength + tagLength) return undefined;
    const nonce = sealed.subarray(0, nonceLength);
    const decipher = createDecipheriv("aes-256-gcm", await this.#keyFor(purpose), nonce, { authTagLength: tagLength });
    decipher.setAuthTag(sealed.subarray(-tagLength));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(nonceLength, -tagLength)), decipher.final()]).toString();
    } catch {
      return undefined;
    }
  }

  /** What only this installation can make of a text, and always makes alike. */
  async mark(purpose: string, text: string): Promise<string> {
    return createHmac("sha256", await this.#keyFor(purpose))
      .update(text)
      .digest("base64url");
  }

  async #keyFor(purpose: string): Promise<Buffer> {
    return Buffer.from(hkdfSync("sha256", await this.#key.load(), "", purpose, 32));
  }
}
