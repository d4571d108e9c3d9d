import { createHash } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import type { Random } from "../base/clock.ts";
import { normalized } from "../base/normalize.ts";

// 32 characters without look-alikes. 256 is a multiple of 32, so each is as likely as the others.
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";
const appPassword = /^([a-z0-9]{6})-[a-z0-9]{6}-[a-z0-9]{6}-[a-z0-9]{6}-[a-z0-9]{6}$/;

/** Hashes with argon2id and the library's defaults: 19 MB, two passes. */
export async function hashPassword(password: string): Promise<string> {
  return hash(normalized(password, "NFC"));
}

/** Returns false for an unreadable hash too. */
export async function verifyPassword(hashed: string, password: string): Promise<boolean> {
  return verify(hashed, normalized(password, "NFC")).catch(() => false);
}

function randomText(random: Random, length: number): string {
  return [...random(length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** A password of 80 bits that is easy to type. */
export function randomPassword(random: Random): string {
  return [0, 0, 0, 0].map(() => randomText(random, 4)).join("-");
}

/** The first group is the id, so only one hash needs to be verified. */
export function newAppPassword(random: Random, id = newAppPasswordId(random)): { id: string; secret: string } {
  return { id, secret: [id, ...[0, 0, 0, 0].map(() => randomText(random, 6))].join("-") };
}

/** For an app password whose id is needed before its secret. */
export function newAppPasswordId(random: Random): string {
  return randomText(random, 6);
}

/** The id inside an app password; undefined for any other text. */
export function appPasswordId(password: string): string | undefined {
  return appPassword.exec(password)?.[1];
}

/** The id of a token or a grant; it is no secret. */
export function newCredentialId(random: Random): string {
  return randomText(random, 8);
}

/** A token contains its account's id, so that only the node that holds the account is asked. */
export function newToken(random: Random, userId: number): { id: string; secret: string; hash: Buffer } {
  const secret = `posthorn_${userId}.${random(32).toString("base64url")}`;
  return { id: newCredentialId(random), secret, hash: tokenHash(secret) };
}

/** The account inside a token; undefined for a token from before 0.2, which names none, and for any other text. */
export function tokenAccount(secret: string): number | undefined {
  const number = /^posthorn_([1-9]\d{0,14})\./.exec(secret)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Tokens cannot be guessed, so a fast hash protects them as well as a slow one. */
export function tokenHash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
