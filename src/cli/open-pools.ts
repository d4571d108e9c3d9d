import { readFile } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import { type PooledAddress, readPools } from "../smtp/outbound/pools/pools-file.ts";
import { Sources } from "../smtp/outbound/pools/sources.ts";
import { PoolWatch } from "../smtp/outbound/pools/watch.ts";
import { Failure } from "./fail.ts";
import type { Parts } from "./parts.ts";

/** Reads the file of --pools; empty without one. Throws Failure. */
export async function readPoolsOf({ pools }: Pick<Config, "pools">): Promise<PooledAddress[]> {
  if (pools === "") return [];
  try {
    return readPools(await readFile(pools, "utf8"));
  } catch (error) {
    throw new Failure(`the pools in ${pools} cannot be used: ${(error as Error).message}`);
  }
}

/** The zones that list bad addresses. */
export function badZonesOf({ dnsLists }: Pick<Config, "dnsLists">): string[] {
  return dnsLists.filter(({ weight }) => weight > 0).map(({ zone }) => zone);
}

/** Looks after the addresses that mail leaves from; undefined without pools. Throws Failure. */
export async function openPools(
  config: Config,
  { store, events, surroundings }: Parts,
): Promise<{ sources: Sources; watch: PoolWatch } | undefined> {
  const addresses = await readPoolsOf(config);
  if (addresses.length === 0) return undefined;
  const { clock, log, resolver } = surroundings;
  const { database } = store;
  const sources = new Sources({ addresses, database, clock, log, events });
  const watch = new PoolWatch({ addresses, sources, database, clock, log, resolver, zones: badZonesOf(config) });
  watch.start();
  return { sources, watch };
}
