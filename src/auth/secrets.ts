import { createHash } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import type { Random } from "../base/clock.ts";
import { normalized } from "../base/normalize.ts";

// 32 characters without look-alikes, so a byte picks one evenly.
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";
const appPassword = /^([a-z0-9]{6})-[a-z0-9]{6}-[a-z0-9]{6}-[a-z0-9]{6}-[a-z0-9]{6}$/;

/** argon2id with the library's defaults: 19 MB, two passes. */
export async function hashPassword(password: string): Promise<string> {
  return hash(normalized(password, "NFC"));
}

/** False for a hash that cannot be read, too. */
export async function verifyPassword(hashed: string, password: string): Promise<boolean> {
  return verify(hashed, normalized(password, "NFC")).catch(() => false);
}

function randomText(random: Random, length: number): string {
  return [...random(length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** 80 bits, easy to type. */
export function randomPassword(random: Random): string {
  return [0, 0, 0, 0].map(() => randomText(random, 4)).join("-");
}

/** Its first group is its id, so only one hash needs checking. */
export function newAppPassword(random: Random): { id: string; secret: string } {
  const groups = [0, 0, 0, 0, 0].map(() => randomText(random, 6));
  return { id: groups[0]!, secret: groups.join("-") };
}

/** The id inside an app password; undefined for texts of another form. */
export function appPasswordId(password: string): string | undefined {
  return appPassword.exec(password)?.[1];
}

/** It names the account of its login: so the node that has the account is asked, and no other. */
export function newToken(random: Random, userId: number): { id: string; secret: string; hash: Buffer } {
  const secret = `posthorn_${userId}.${random(32).toString("base64url")}`;
  return { id: randomText(random, 8), secret, hash: tokenHash(secret) };
}

/** The account inside a token; undefined for one from before 0.2, which names none, and for other texts. */
export function tokenAccount(secret: string): number | undefined {
  const number = /^posthorn_([1-9]\d{0,14})\./.exec(secret)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Tokens are unguessable, so a plain hash keeps them as well as a slow one would. */
export function tokenHash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
