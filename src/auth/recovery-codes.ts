import { createHash } from "node:crypto";
import type { Random } from "../base/clock.ts";
import { randomPassword } from "./secrets.ts";

const count = 10;

/** Each of 80 bits, so a fast hash protects it as well as a slow one. */
export function newRecoveryCodes(random: Random): string[] {
  return Array.from({ length: count }, () => randomPassword(random));
}

/** Bound to the account. People may type the code without hyphens, or in capitals. */
export function recoveryHash(userId: number, code: string): Buffer {
  const plain = code.toLowerCase().replace(/[^a-z0-9]/g, "");
  return createHash("sha256").update(`${userId} ${plain}`).digest();
}
