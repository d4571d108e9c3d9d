import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { checkVapid } from "../../../test/support/push.ts";
import { openVapid } from "./vapid.ts";

test("one key pair is created for the installation, and signs for each origin", async () => {
  const { database } = await createTestDatabase();
  let now = Date.now();
  const clock = { now: () => new Date(now) };
  const contact = "mailto:postmaster@home.test";
  const [one, other] = await Promise.all([openVapid(database, contact, clock), openVapid(database, contact, clock)]);
  expect(other.publicKey).toBe(one.publicKey);
  expect(Buffer.from(one.publicKey, "base64url")).toHaveLength(65);

  const first = one.authorization("https://push.example");
  const { claims, key } = checkVapid(first);
  expect(key).toBe(one.publicKey);
  expect(claims).toEqual({ aud: "https://push.example", sub: contact, exp: Math.floor(now / 1000) + 12 * 3600 });
  expect(checkVapid(one.authorization("https://other.example")).claims.aud).toBe("https://other.example");

  now += 5 * 3_600_000;
  expect(one.authorization("https://push.example")).toBe(first);
  now += 2 * 3_600_000;
  const later = checkVapid(one.authorization("https://push.example")).claims;
  expect(later.exp).toBe(Math.floor(now / 1000) + 12 * 3600);
});
