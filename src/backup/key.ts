import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { Random } from "../base/clock.ts";
import { BackupError } from "./backup-error.ts";

const heading = "Posthorn backup key 1";
const form = new RegExp(`^${heading}\\s+([0-9a-f]{64})\\s*$`);

/** The secret of a repository, and what is made from it. */
export class BackupKey {
  readonly #secret: Buffer;

  /** `secret`: 32 random bytes. */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** Names the key without telling anything of it. */
  get id(): string {
    return this.derive("id").toString("hex").slice(0, 16);
  }

  /** 32 bytes for one purpose. */
  derive(purpose: string, ...more: Uint8Array[]): Buffer {
    const mac = createHmac("sha256", this.#secret).update(`${purpose}\0`);
    for (const part of more) mac.update(part);
    return mac.digest();
  }
}

/** Writes a new key to a file that only its owner may read. Throws BackupError if there is such a file. */
export function makeKeyFile(path: string, random: Random): BackupKey {
  const secret = random(32);
  try {
    writeFileSync(path, `${heading}\n${secret.toString("hex")}\n`, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new BackupError((error as Error).message);
    throw new BackupError(`${path} exists: a key that is overwritten makes its backups unreadable`);
  }
  return new BackupKey(secret);
}

/** Throws BackupError. */
export function readKeyFile(path: string): BackupKey {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new BackupError(
      isMissing
        ? `there is no key file ${path} (to make one: posthorn backup --new-key ${path})`
        : (error as Error).message,
    );
  }
  const [, secret] = form.exec(text) ?? [];
  if (secret === undefined) throw new BackupError(`${path} is no key file of posthorn backup`);
  return new BackupKey(Buffer.from(secret, "hex"));
}
