import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { inject } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { S3Objects, type S3Options } from "../../../src/store/blobs/objects/s3.ts";
import { afterwards } from "../afterwards.ts";
import { cephReady, startCeph } from "./ceph.ts";
import { type Bucket, bucketName, bucketOf, keys, region } from "./place.ts";
import { type StrictOptions, StrictServer } from "./strict-server.ts";

/** In a real S3 where one is installed, else in the strict server. */
export async function emptyBucket(): Promise<Bucket> {
  const ceph = inject("ceph");
  if (!ceph) return bucketOf(await startStrict());
  startCeph(ceph);
  await cephReady(ceph);
  const { port, accessKey, secretKey } = ceph;
  const place = { endpoint: `http://127.0.0.1:${port}`, accessKey, secretKey, name: bucketName() };
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint: place.endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: place.name }));
  client.destroy();
  return { ...place, kind: "Ceph's gateway" };
}

/** A strict server that stops when the test file is done. */
export async function startStrict(options: Partial<StrictOptions> = {}): Promise<StrictServer> {
  const server = await new StrictServer({ keys, ...options }).start();
  afterwards(() => server.stop());
  return server;
}

/** The objects in a bucket. */
export function objectsIn(bucket: Bucket, options: Partial<S3Options> = {}): S3Objects {
  const temporaryFolder = join(tmpdir(), `posthorn-s3-${bucket.name}`);
  afterwards(() => rm(temporaryFolder, { recursive: true, force: true }));
  return new S3Objects({
    endpoint: bucket.endpoint,
    region,
    bucket: bucket.name,
    prefix: "",
    isPathStyle: true,
    ca: undefined,
    credentials: { accessKeyId: bucket.accessKey, secretAccessKey: bucket.secretKey },
    encryption: undefined,
    packs: true,
    temporaryFolder,
    clock: systemClock,
    random: randomBytes,
    log: silentLog,
    ...options,
  });
}
