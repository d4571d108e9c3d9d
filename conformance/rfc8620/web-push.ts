import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from "node:crypto";
import { equal, ok } from "../runner/expect.ts";

/** The keys of a client that wants its pushes encrypted (RFC 8291 §2). */
export class PushKeys {
  readonly #ecdh: ECDH = createECDH("prime256v1");
  readonly #auth: Buffer;
  readonly #public: Buffer;

  /** New ones, unless they are given as the RFC's example gives them. */
  constructor(given?: { privateKey: string; auth: string }) {
    if (given) this.#ecdh.setPrivateKey(given.privateKey, "base64url");
    else this.#ecdh.generateKeys();
    this.#public = this.#ecdh.getPublicKey();
    this.#auth = given ? Buffer.from(given.auth, "base64url") : randomBytes(16);
  }

  /** As a PushSubscription names them. */
  get keys(): { p256dh: string; auth: string } {
    return { p256dh: this.#public.toString("base64url"), auth: this.#auth.toString("base64url") };
  }

  /** One record of aes128gcm (RFC 8188 §2), keyed as in RFC 8291 §3.4. */
  open(body: Buffer): Buffer {
    ok(body.length > 21 + 65 + 16, `the encrypted body has ${body.length} octets only`);
    const salt = body.subarray(0, 16);
    const idLength = body[20] as number;
    equal(idLength, 65, "length of the key id (RFC 8291 §4)");
    const serverKey = body.subarray(21, 21 + idLength);
    const shared = this.#ecdh.computeSecret(serverKey);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.#public, serverKey]);
    const ikm = Buffer.from(hkdfSync("sha256", shared, this.#auth, info, 32));
    const derive = (label: string, length: number): Buffer =>
      Buffer.from(hkdfSync("sha256", ikm, salt, `Content-Encoding: ${label}\0`, length));
    const record = body.subarray(21 + idLength);
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(record.subarray(-16));
    const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    // The content ends at the delimiter 2, after which is only padding.
    const end = plain.lastIndexOf(2);
    ok(end >= 0 && plain.subarray(end + 1).every((octet) => octet === 0), "the padding of the record is wrong");
    return plain.subarray(0, end);
  }
}
