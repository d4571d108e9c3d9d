import { healthOf } from "../smtp/outbound/pools/health.ts";
import { plannedFor } from "../smtp/outbound/pools/plan.ts";
import { findSources, sentToday } from "../store/queues/source-addresses.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { badZonesOf, readPoolsOf } from "./open-pools.ts";
import { say, table } from "./prompt.ts";
import { resolverOf } from "./resolver.ts";

export async function show({ config, store, options }: Context): Promise<void> {
  const addresses = await readPoolsOf(config);
  if (addresses.length === 0) throw new Failure("there are no pools: --pools names no file");
  const now = store.clock.now();
  const names = addresses.map(({ address }) => address);
  const rows = new Map((await findSources(store.database, names)).map((row) => [row.address, row]));
  const sent = Map.groupBy(await sentToday(store.database, names, now), ({ address }) => address);
  const dns = { resolver: resolverOf(config), zones: badZonesOf(config) };
  const shown = await Promise.all(
    addresses.map(async (one) => {
      const row = rows.get(one.address);
      const planned = plannedFor({ since: row?.since ?? now, weeks: one.weeks, rests: row?.rests ?? 0 }, now);
      const isResting = row?.restsUntil != null && row.restsUntil > now;
      return {
        ...one,
        since: row?.since ?? null,
        plannedToday: Number.isFinite(planned) ? planned : null,
        restsUntil: isResting ? row.restsUntil : null,
        restReason: isResting ? row.restReason : null,
        rests: row?.rests ?? 0,
        today: (sent.get(one.address) ?? []).map(({ address: _, ...counts }) => counts),
        ...(await healthOf(one, dns)),
      };
    }),
  );
  const told = shown.map(({ reverse, ...rest }) => ({ ...rest, reverse: reverse ?? null }));
  if (options.json) return say(JSON.stringify(told, null, 2));
  const cells = told.map((one) => [
    one.pool,
    one.address,
    one.name,
    one.since?.toISOString().slice(0, 10) ?? "unused",
    one.plannedToday === null ? "warm" : `${one.plannedToday} a provider`,
    String(one.today.reduce((sum, { messages }) => sum + messages, 0)),
    String(one.today.reduce((sum, { refused }) => sum + refused, 0)),
    one.restsUntil === null ? "" : one.restsUntil.toISOString(),
  ]);
  say(table([["POOL", "ADDRESS", "NAME", "SINCE", "TODAY", "BOOKED", "REFUSED", "RESTS UNTIL"], ...cells]));
  for (const { address, restReason, reverse, listedBy } of told) {
    if (restReason !== null) say(`${address} rests: ${restReason}`);
    if (reverse !== null) say(reverse);
    if (listedBy.length > 0) say(`${address} is listed by ${listedBy.join(" and ")}`);
  }
}
