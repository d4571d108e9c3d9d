import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { expect, test } from "vitest";
import { cpuMs } from "../../../test/support/cpu.ts";
import { dkimSignatures } from "./dkim.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = {
  domain: "here.test",
  selector: "s1",
  privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
};
const record = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
const resolver = async () => [[`v=DKIM1; k=rsa; p=${record}`]];

async function verify(message: Buffer): Promise<string[]> {
  const { results } = await dkimVerify(message, { resolver, strict: true });
  return results.map(({ status }) => status.result);
}

async function signed(message: Buffer): Promise<Buffer> {
  return Buffer.concat([Buffer.from(await dkimSignatures(message, [key], new Date()), "latin1"), message]);
}

const header = "From: Ada <ada@here.test>\r\nTo: zoe@far.test\r\nSubject: a  b\r\n\tc \r\nX-Other: x\r\n";

test("the signature verifies for any body", async () => {
  const piece = fc.constantFrom(" ", "\t", "\r\n", "\r\n\r\n", "a", "é", "word ", " \r\n", ".");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const body = pieces.join("");
      expect(await verify(await signed(Buffer.from(`${header}\r\n${body}`)))).toEqual(["pass"]);
    }),
    { numRuns: 200 },
  );
});

test("the signature verifies for header fields of all shapes", async () => {
  const text = fc.stringMatching(/^[ -~]{0,60}(\r\n[ \t][!-~ ]{1,40}){0,3}$/);
  const name = fc.constantFrom("To", "CC", "Subject", "References", "X-Any", "to", "Content-Type");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, text), { maxLength: 8 }), async (fields) => {
      const lines = fields.map(([field, value]) => `${field}: ${value}\r\n`).join("");
      expect(await verify(await signed(Buffer.from(`From: <ada@here.test>\r\n${lines}\r\nHello.\r\n`)))).toEqual([
        "pass",
      ]);
    }),
    { numRuns: 200 },
  );
});

test("the signature fails when a second From is put in front, or a word is changed", async () => {
  const message = await signed(Buffer.from(`${header}\r\nHello.\r\n`));
  expect(await verify(Buffer.concat([Buffer.from("From: eve@there.test\r\n"), message]))).not.toContain("pass");
  expect(await verify(Buffer.from(message.toString().replace("Hello", "Hullo")))).not.toContain("pass");
});

test("a body of long runs of blanks is signed in time", async () => {
  const body = `${" ".repeat(2_000_000)}x${"\r\n".repeat(1_000_000)}x`;
  const start = cpuMs();
  await dkimSignatures(Buffer.from(`${header}\r\n${body}`), [key], new Date());
  expect(cpuMs() - start).toBeLessThan(2000);
});
