import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { RedisLink } from "../../redis/link.ts";
import { sha256Of } from "./blob-id.ts";
import type { BodyCache } from "./cache.ts";

/** Most mail is read when it is new. */
const lifeMs = 16 * 86_400_000;
const maxBodyBytes = 256 * 1024;

export interface RedisCacheOptions {
  link: RedisLink;
  clock: Clock;
  log: Log;
}

const nameOf = (link: RedisLink, hash: Buffer) => `${link.prefix}body:${hash.toString("base64url")}`;

/** Removes these bodies from Redis. False if it did not answer. */
export async function forgetBodies(link: RedisLink, hashes: readonly Buffer[]): Promise<boolean> {
  let isDone = true;
  for (const hash of hashes) {
    const removed = await link.ask("cache", nameOf(link, hash), (client, name) => client.del(name));
    isDone &&= removed !== undefined;
  }
  return isDone;
}

/** Keeps bodies in Redis until 16 days after their day. Who may write there cannot forge mail: hashes are checked. */
export function createRedisCache({ link, clock, log }: RedisCacheOptions): BodyCache {
  const redisKey = (key: string) => nameOf(link, hashOf(key));
  return {
    maxBodyBytes,
    get: async (key) => {
      const bytes = await link.ask("cache", redisKey(key), (client, name) => client.getBuffer(name));
      if (!bytes) return undefined;
      if (sha256Of(bytes).equals(hashOf(key))) return bytes;
      log.warn({ key }, "a body in Redis is not what it should be");
      void link.ask("cache", redisKey(key), (client, name) => client.del(name));
      return undefined;
    },
    set: (key, bytes) => {
      const leftMs = Date.parse(key.slice(0, 10)) + lifeMs - clock.now().getTime();
      if (bytes.length > maxBodyBytes || !(leftMs > 0)) return;
      void link.ask("cache", redisKey(key), (client, name) => client.set(name, bytes, "PX", leftMs));
    },
  };
}

/** The hash in `<day>/<SHA-256 in hex>`. */
function hashOf(key: string): Buffer {
  return Buffer.from(key.slice(11), "hex");
}
