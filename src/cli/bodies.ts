import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Random } from "../base/clock.ts";
import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import type { BodiesPlace } from "../config/values.ts";
import { DiskObjects } from "../store/blobs/objects/disk.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import { S3Objects } from "../store/blobs/objects/s3.ts";
import type { S3BucketOptions } from "../store/blobs/objects/s3-bucket.ts";
import { TwoPlaces } from "../store/blobs/objects/two-places.ts";
import { Failure } from "./fail.ts";

interface Surroundings {
  clock: Clock;
  random: Random;
  log: Log;
  events: Events;
}

/** Where bodies are kept, and where else they may still be. */
export interface Bodies {
  bodies: ObjectStore;
  fallback: ObjectStore | undefined;
}

/** The configured object store. */
export function bodiesOf(config: Config, surroundings: Surroundings): ObjectStore {
  const { bodies, fallback } = placesOf(config, surroundings);
  return fallback ? new TwoPlaces(bodies, fallback) : bodies;
}

export function placesOf(config: Config, surroundings: Surroundings): Bodies {
  const open = (place: BodiesPlace) => openPlace(place, config, surroundings);
  return { bodies: open(config.bodies), fallback: config.bodiesFallback && open(config.bodiesFallback) };
}

function openPlace(place: BodiesPlace, config: Config, surroundings: Surroundings): ObjectStore {
  const { clock, random, events } = surroundings;
  const folder = join(config.data, "blobs");
  if (place.kind === "disk") return new DiskObjects({ folder, clock, random });
  return new S3Objects({
    ...bucketOf(place, config, surroundings),
    packs: config.packs,
    temporaryFolder: join(folder, "tmp"),
    clock,
    random,
    onPackChange: (change) => events.packChanged(change),
  });
}

/** A place at the configured S3 service. */
export function bucketOf(
  { bucket, prefix }: Extract<BodiesPlace, { kind: "s3" }>,
  config: Config,
  { log, events }: Pick<Surroundings, "log" | "events">,
): S3BucketOptions {
  const { s3Endpoint, s3Region, s3PathStyle, s3Ca, s3AccessKey, s3SecretKey, s3Encryption, s3KmsKey } = config;
  return {
    bucket,
    prefix,
    endpoint: s3Endpoint || undefined,
    region: s3Region,
    isPathStyle: s3PathStyle,
    ca: s3Ca === "" ? undefined : authoritiesIn(s3Ca),
    credentials: s3AccessKey === "" ? undefined : { accessKeyId: s3AccessKey, secretAccessKey: s3SecretKey },
    encryption: s3Encryption === "" ? undefined : { algorithm: s3Encryption, keyId: s3KmsKey || undefined },
    log,
    onRequest: (operation, outcome, seconds) => events.bodiesAsked({ operation, outcome, seconds }),
  };
}

function authoritiesIn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`--s3-ca: ${(error as Error).message}`);
  }
}
