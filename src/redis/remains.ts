import { Cluster, type Redis } from "ioredis";
import type { RedisLink } from "./link.ts";

/** The keys below the prefix whose name or value contains one of the texts. Reads all of them. */
export async function findInRedis({ client, prefix }: RedisLink, texts: readonly Buffer[]): Promise<string[]> {
  const servers: Redis[] = client instanceof Cluster ? client.nodes("master") : [client];
  const found: string[] = [];
  const pattern = `${prefix.replace(/[?*[\]\\]/g, "\\$&")}*`;
  const isNamed = (bytes: Buffer) => texts.some((text) => bytes.includes(text));
  for (const server of servers) {
    for (let cursor = "0"; ; ) {
      const [next, keys] = await server.scan(cursor, "MATCH", pattern, "COUNT", 500);
      for (const key of keys) {
        if (isNamed(Buffer.from(key)) || (await valuesOf(server, key)).some(isNamed)) found.push(key);
      }
      if (next === "0") break;
      cursor = next;
    }
  }
  return found;
}

/** All that is kept under the key; nothing if it has just expired. */
async function valuesOf(server: Redis, key: string): Promise<Buffer[]> {
  switch (await server.type(key)) {
    case "string":
      return [(await server.getBuffer(key)) ?? Buffer.alloc(0)];
    case "hash":
      return Object.entries(await server.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
    case "zset":
      return server.zrangeBuffer(key, "0", "-1");
    case "set":
      return server.smembersBuffer(key);
    case "list":
      return server.lrangeBuffer(key, 0, -1);
    default:
      return [];
  }
}
