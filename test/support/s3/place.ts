import { randomBytes } from "node:crypto";
import type { StrictServer } from "./strict-server.ts";

/** An empty bucket, and who may use it. */
export interface Bucket {
  endpoint: string;
  name: string;
  accessKey: string;
  secretKey: string;
  /** What serves it. */
  kind: "Ceph's gateway" | "the small server of the tests";
}

export const region = "us-east-1";
/** Of the strict server. */
export const keys = { accessKey: "strict", secretKey: "strict secret", region };

export function bucketOf(server: StrictServer): Bucket {
  const name = bucketName();
  server.buckets.set(name, new Map());
  const { accessKey, secretKey } = keys;
  return { endpoint: server.endpoint, name, accessKey, secretKey, kind: "the small server of the tests" };
}

/** The options of a server that keeps its bodies there. */
export function optionsFor(bucket: Bucket): Record<string, string> {
  return {
    POSTHORN_BODIES: `s3://${bucket.name}/mail`,
    POSTHORN_S3_ENDPOINT: bucket.endpoint,
    POSTHORN_S3_REGION: region,
    POSTHORN_S3_PATH_STYLE: "true",
    POSTHORN_S3_ACCESS_KEY: bucket.accessKey,
    POSTHORN_S3_SECRET_KEY: bucket.secretKey,
  };
}

export const bucketName = () => `bodies-${randomBytes(6).toString("hex")}`;
