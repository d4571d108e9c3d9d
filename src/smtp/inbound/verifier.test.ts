import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { TooSlow } from "../../base/threads.ts";
import { dkimSignatures } from "../../mail/submit/dkim.ts";
import { verifyAside } from "./verifier.ts";
import { type ToVerify, verify } from "./verify.ts";

const sender = { mailFrom: "ann@example.org", helo: "mx.example.org", address: "192.0.2.1" };
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const zone: Record<string, string> = {
  "s._domainkey.example.org": `v=DKIM1; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`,
};
const lookUp = async (name: string, type: string) => {
  const text = type === "TXT" ? zone[name] : undefined;
  if (text === undefined) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
  return [[text]];
};

const means = { hostname: "mx.test", lookUp };

async function signed(body: string): Promise<ToVerify> {
  const message = `From: ann@example.org\r\nTo: bob@example.com\r\nSubject: signed\r\n\r\n${body}`;
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const key = { domain: "example.org", selector: "s", privateKey: pem };
  const signature = await dkimSignatures(Buffer.from(message), [key], new Date());
  return { message: Buffer.from(signature + message), from: ["ann@example.org"] };
}

test("a thread comes to the same verdict, and asks DNS here", async () => {
  const given = await signed("Hello.\r\n".repeat(100_000));
  const verified = await verifyAside(given, sender, means);
  const authors = { domains: ["example.org"], isClear: true };
  const dkim = { passed: ["example.org"], unknown: [] };
  expect(verified).toMatchObject({
    results: expect.stringContaining("dkim=pass"),
    dkim,
    signers: ["example.org"],
    authors,
  });
  expect(verified).toEqual(await verify(given, sender, means));
  const forged = { ...given, message: Buffer.concat([given.message, Buffer.from("More.\r\n")]) };
  expect(await verifyAside(forged, sender, means)).toMatchObject({ dkim: { passed: [], unknown: [] } });
});

test("a message that takes too long is given up, delays no other, and the next one is verified", async () => {
  const hostile = await signed(`${" ".repeat(20_000_000)}x\r\n`);
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  await expect(verifyAside(hostile, sender, { ...means, timeMs: 1_500 })).rejects.toThrow(TooSlow);
  clearInterval(timer);
  expect(longest).toBeLessThan(500);
  const { results } = await verifyAside(await signed("Hello.\r\n".repeat(20_000)), sender, means);
  expect(results).toMatch(/dkim=pass/);
});
