import { createECDH, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decrypt } from "../../../test/support/push.ts";
import { encrypt, maxPlaintext, readKeys } from "./encrypt.ts";

const bytes = (text: string) => Buffer.from(text, "base64url");
const pair = (privateKey: string) => {
  const made = createECDH("prime256v1");
  made.setPrivateKey(bytes(privateKey));
  return made;
};

/** RFC 8291 §5 */
const example = {
  sender: "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
  receiver: "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
  salt: "DGv6ra1nlYgDCS1FRnbzlw",
  body:
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_" +
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
};

describe("encryption", () => {
  it("makes the message of RFC 8291 §5", () => {
    const keys = readKeys(example)!;
    const text = Buffer.from("When I grow up, I want to be a watermelon");
    const body = encrypt(text, keys, () => bytes(example.salt), pair(example.sender));
    expect(body.toString("base64url")).toBe(example.body);
  });

  it("can be decrypted by the receiver, up to the largest size", () => {
    const receiver = createECDH("prime256v1");
    receiver.generateKeys();
    const keys = { p256dh: receiver.getPublicKey(), auth: randomBytes(16) };
    for (const size of [0, 1, 200, maxPlaintext]) {
      const text = randomBytes(size);
      const body = encrypt(text, keys, randomBytes);
      expect(body.length).toBeLessThanOrEqual(4096);
      expect(decrypt(body, receiver, keys.auth)).toEqual(text);
    }
  });
});

describe("keys", () => {
  it("are read with and without padding", () => {
    expect(readKeys(example)).toBeDefined();
    expect(readKeys({ p256dh: `${example.p256dh}=`, auth: `${example.auth}==` })).toEqual(readKeys(example));
  });

  it("that are invalid are refused", () => {
    const offCurve = bytes(example.p256dh);
    offCurve[64]! ^= 1;
    for (const bad of [
      { p256dh: "" },
      { p256dh: "not base64!" },
      { p256dh: example.auth },
      { p256dh: offCurve.toString("base64url") },
      { auth: example.auth.slice(0, -4) },
      { auth: "+/+/" },
    ]) {
      expect(readKeys({ ...example, ...bad })).toBeUndefined();
    }
  });
});
