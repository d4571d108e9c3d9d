import { Resolver } from "node:dns/promises";
import type { Config } from "../config/schema.ts";

export function resolverOf(config: Pick<Config, "resolver">): Resolver {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  if (config.resolver.length > 0) resolver.setServers(config.resolver);
  return resolver;
}
