import { createHmac, timingSafeEqual } from "node:crypto";

/** RFC 6238 §5.2 */
const stepMs = 30_000;
/** RFC 4226 §4: at least 128 bits, 160 recommended. */
export const totpSecretLength = 20;
const digits = 6;

/** RFC 6238 §4.2: the number of the step that a time is in. */
export function stepAt(now: Date): number {
  return Math.floor(now.getTime() / stepMs);
}

/** RFC 4226 §5.3, with SHA-1, as all generators know it. */
export function totpCode(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const number = mac.readUInt32BE(mac[mac.length - 1]! & 0xf) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** The step whose code this is: the present one, or the one before or after it, since clocks differ (RFC 6238 §6). */
export function stepOf(code: string, secret: Buffer, now: Date): number | undefined {
  const given = Buffer.from(code.replace(/\s/g, ""));
  const present = stepAt(now);
  const steps = [present, present - 1, present + 1];
  return steps.find((step) => given.length === digits && timingSafeEqual(given, Buffer.from(totpCode(secret, step))));
}

/** RFC 4648 §6, without padding, as generators take it when it is typed. */
export function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}

/** What generators read from a QR code: the Key Uri Format. */
export function totpUri({ secret, login, issuer }: { secret: Buffer; login: string; issuer: string }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(login)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
}
