import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { S3Error } from "./s3-error.ts";

export interface Keys {
  accessKey: string;
  secretKey: string;
  region: string;
}

const maxSkewMs = 15 * 60_000;

/** AWS Signature Version 4 in the Authorization header. The hash of the payload must be signed, and be right. */
export function checkSignature(req: IncomingMessage, url: URL, body: Buffer, keys: Keys): void {
  const {
    authorization = "",
    "x-amz-date": date = "",
    "x-amz-content-sha256": payload = "",
  } = req.headers as Record<string, string>;
  const [, credential = "", signed = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(authorization) ?? [];
  if (signature === "") throw new S3Error(403, "AccessDenied");
  const [accessKey = "", day = "", region = "", service = "", end = ""] = credential.split("/");
  if (accessKey !== keys.accessKey) throw new S3Error(403, "InvalidAccessKeyId");
  if (region !== keys.region || service !== "s3" || end !== "aws4_request" || !date.startsWith(day)) {
    throw new S3Error(400, "AuthorizationHeaderMalformed");
  }
  if (Math.abs(Date.parse(instantOf(date)) - Date.now()) > maxSkewMs) throw new S3Error(403, "RequestTimeTooSkewed");
  const names = signed.split(";");
  const unsigned = Object.keys(req.headers).filter((name) => name.startsWith("x-amz-") && !names.includes(name));
  if (!names.includes("host") || unsigned.length > 0) throw new S3Error(403, "AccessDenied");
  const canonical = [
    req.method,
    req.url?.split("?")[0],
    canonicalQuery(url),
    ...names.map((name) => `${name}:${String(req.headers[name]).trim().replace(/ +/g, " ")}`),
    "",
    signed,
    payload,
  ].join("\n");
  const scope = [day, region, service, end].join("/");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = [day, region, service, end].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${keys.secretKey}`),
  );
  if (hmac(key, text).toString("hex") !== signature) throw new S3Error(403, "SignatureDoesNotMatch");
  if (payload !== sha256(body)) throw new S3Error(400, "XAmzContentSHA256Mismatch");
}

function canonicalQuery(url: URL): string {
  const pairs = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function instantOf(date: string): string {
  return date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();
