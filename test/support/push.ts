import { createDecipheriv, createPublicKey, type ECDH, hkdfSync, verify } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, vi } from "vitest";

/** RFC 8291 from the receiver's side, written independently of the sender's. Throws if decryption fails. */
export function decrypt(body: Buffer, receiver: ECDH, auth: Buffer): Buffer {
  const salt = body.subarray(0, 16);
  const recordSize = body.readUInt32BE(16);
  const keyLength = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + keyLength);
  const record = body.subarray(21 + keyLength);
  if (record.length > recordSize) throw new Error("more than one record");
  const derive = (key: Buffer, salt: Buffer, info: Buffer | string, length: number) =>
    Buffer.from(hkdfSync("sha256", key, salt, info, length));
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), receiver.getPublicKey(), senderKey]);
  const material = derive(receiver.computeSecret(senderKey), auth, info, 32);
  const key = derive(material, salt, "Content-Encoding: aes128gcm\0", 16);
  const decipher = createDecipheriv("aes-128-gcm", key, derive(material, salt, "Content-Encoding: nonce\0", 12));
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new Error("not the last record");
  return padded.subarray(0, end);
}

export interface Push {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A push service on loopback that keeps all pushes and answers as scripted. */
export class PushService {
  readonly url: string;
  readonly pushes: Push[] = [];
  /** Used one after the other; after the last, 201. */
  readonly answers: { status: number; headers?: Record<string, string>; after?: Promise<void> }[] = [];
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    server.on("request", (req, res) => {
      const chunks: Buffer[] = [];
      req.on("data", (chunk: Buffer) => chunks.push(chunk));
      req.on("end", async () => {
        this.pushes.push({ path: req.url ?? "", headers: req.headers, body: Buffer.concat(chunks) });
        const { status, headers, after } = this.answers.shift() ?? { status: 201 };
        await after;
        res.writeHead(status, headers).end();
      });
    });
  }

  /** The pushes to this path, parsed as JSON. */
  messages(path: string): Record<string, unknown>[] {
    return this.pushes.filter((push) => push.path === path).map(({ body }) => JSON.parse(body.toString()));
  }

  /** The verification code that was pushed to this path. */
  async code(path: string): Promise<string> {
    await vi.waitFor(() => expect(this.messages(path).length).toBeGreaterThan(0), { timeout: 10_000, interval: 5 });
    return this.messages(path)[0]!.verificationCode as string;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export async function startPushService(): Promise<PushService> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new PushService(server);
}

/** RFC 8292: verifies the signature of an Authorization and returns its claims. */
export function checkVapid(authorization: string): { claims: { aud: string; exp: number; sub: string }; key: string } {
  const [, token = "", key = ""] = /^vapid t=(\S+), k=(\S+)$/.exec(authorization) ?? [];
  const [header = "", claims = "", signature = ""] = token.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  expect(read(header)).toEqual({ typ: "JWT", alg: "ES256" });
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url")) as [
    string,
    string,
  ];
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const bytes = Buffer.from(signature, "base64url");
  const isRight = verify(
    "sha256",
    Buffer.from(`${header}.${claims}`),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    bytes,
  );
  expect(isRight).toBe(true);
  return { claims: read(claims), key };
}
