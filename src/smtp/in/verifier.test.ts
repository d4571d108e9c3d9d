import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { dkimSignature } from "../../mail/dkim.ts";
import { verifyApart } from "./verifier.ts";
import { type LookUp, verify } from "./verify.ts";

const claims = { mailFrom: "ann@example.org", helo: "mx.example.org", address: "192.0.2.1", hostname: "mx.test" };
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const zone: Record<string, string> = {
  "s._domainkey.example.org": `v=DKIM1; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`,
  "_dmarc.example.org": "v=DMARC1; p=reject",
};
const lookUp: LookUp = async (name, type) => {
  const text = type === "TXT" ? zone[name] : undefined;
  if (text === undefined) throw Object.assign(new Error(name), { code: "ENOTFOUND" });
  return [[text]];
};

async function signed(body: string): Promise<Buffer> {
  const message = `From: ann@example.org\r\nTo: bob@example.com\r\nSubject: signed\r\n\r\n${body}`;
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const key = { domain: "example.org", selector: "s", privateKey: pem };
  return Buffer.from((await dkimSignature(Buffer.from(message), key, new Date())) + message);
}

test("a thread comes to the same verdict, and asks DNS here", async () => {
  const message = await signed("Hello.\r\n".repeat(100_000));
  const verified = await verifyApart(message, claims, lookUp, 10_000);
  expect(verified.field).toMatch(/dkim=pass/);
  expect(verified).toEqual(await verify(message, claims, lookUp));
  const forged = Buffer.concat([message, Buffer.from("More.\r\n")]);
  expect(await verifyApart(forged, claims, lookUp, 10_000)).toMatchObject({ refusedBy: "example.org" });
});

test("what takes too long is given up, holds up nobody, and the next one is verified", async () => {
  const hostile = await signed(`${" ".repeat(20_000_000)}x\r\n`);
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  await expect(verifyApart(hostile, claims, lookUp, 1_500)).rejects.toThrow("over 1500 ms");
  clearInterval(timer);
  expect(longest).toBeLessThan(500);
  const { field } = await verifyApart(await signed("Hello.\r\n"), claims, lookUp, 10_000);
  expect(field).toMatch(/dkim=pass/);
});
