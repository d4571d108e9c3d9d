import { afterwards } from "./afterwards.ts";
import { cloneOnCitus, isOnCitus } from "./citus.ts";
import { Fleet } from "./fleet.ts";
import { createPlainDatabase, urlOf } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { emptyBucket, startStrict } from "./s3/bucket.ts";
import { bucketOf, optionsFor } from "./s3/place.ts";
import { startServer } from "./server.ts";
import type { StartSystem } from "./system.ts";

/** `npm run mix`: the tests that use `startSystem` run against a fleet, on all that it can share. */
export const isMix = process.env.MIX === "1";

/** A fleet that shares Redis, S3 (a real one where it is installed, with `npm run mix`) and Postgres, or Citus. */
export const startMix: StartSystem = async ({ env }) => {
  const [databaseUrl, redis, bucket] = await Promise.all([
    makeDatabase(),
    startRedis(),
    isMix ? emptyBucket() : startStrict().then(bucketOf),
  ]);
  return Fleet.start({
    env: { DATABASE_URL: databaseUrl, POSTHORN_REDIS: redis.url, ...optionsFor(bucket), ...env },
  });
};

export const startSystem: StartSystem = isMix ? startMix : startServer;

async function makeDatabase(): Promise<string> {
  if (!isOnCitus) return urlOf((await createPlainDatabase()).connection);
  const clone = await cloneOnCitus("migrated");
  afterwards(clone.drop);
  return clone.url;
}
