import { statfs } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import type { Check } from "../ops/readiness.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Nodes } from "../store/core/nodes.ts";

interface Parts {
  database: { nodes: Pick<Nodes, "all" | "missing"> };
  objects: Pick<ObjectStore, "check">;
  redis?: { readonly isUp: boolean } | undefined;
}

/** The readiness checks. The disk must have room for a message of the largest size. */
export function checks(
  { data, maxMessageSize, maxSizeUpload }: Pick<Config, "data" | "maxMessageSize" | "maxSizeUpload">,
  { database: { nodes }, objects, redis }: Parts,
): Record<"database" | "bodies" | "disk", Check> & { redis?: Check } {
  const room = Math.max(maxMessageSize, maxSizeUpload);
  return {
    database: async () => {
      const missing = await nodes.missing();
      if (missing.length === nodes.all.length) return "gives no answer";
      return missing.length === 0 ? undefined : { partly: `no answer from ${missing.join(", ")}` };
    },
    bodies: () => objects.check(),
    disk: async () => {
      const { bavail, bsize } = await statfs(data);
      return bavail * bsize < room ? `less than ${Math.ceil(room / 1_000_000)} MB free` : undefined;
    },
    ...(redis && { redis: async () => (redis.isUp ? undefined : "gives no answer") }),
  };
}
