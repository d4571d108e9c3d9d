import { titles } from "./faults.ts";
import { clock, digits, dollars, duration, percent, short, table, whole } from "./figures.ts";
import { parameters } from "./parameters.ts";
import type { Result } from "./simulate.ts";
import { sizeFor } from "./sizes.ts";

export function summary({ options, sites, ledger, queued, lost, busy }: Result): string {
  const delay = (part: number): string => duration(ledger.delays.quantile(part));
  const cells = sites.reduce((sum, site) => sum + site.cells, 0);
  const rows: [string, string][] = [
    ["users", `${whole(options.users)} in ${cells} cells`],
    [
      "simulated",
      `${sites.length} of them, ${whole(sites.reduce((sum, { cell }) => sum + cell.users, 0))} users, ${options.days} days`,
    ],
    ["mails offered", whole(ledger.offered)],
    ["accepted", whole(ledger.accepted)],
    ["delivered", whole(ledger.delivered)],
    [
      "at the end: queued, with senders, between regions",
      [queued, ledger.withSenders, ledger.between].map(whole).join(", "),
    ],
    ["lost or doubled (must be 0)", whole(lost)],
    ["delivery delay p50", delay(0.5)],
    ["delivery delay p99", delay(0.99)],
    ["delivery delay p99.99", delay(0.9999)],
    ["longest", duration(ledger.delays.longest)],
    ["mails delayed by a fault", `${whole(ledger.delayed)} (${percent(ledger.delayed / ledger.offered)})`],
    ["refusals (451, or no answer)", whole(ledger.refusals)],
    ["longest queue of accepted mail", `${whole(ledger.mostQueued)} mails`],
    ["requests of clients", short(ledger.requests)],
    [
      "of these refused (`serverUnavailable`)",
      `${whole(ledger.requestsFailed)} (${percent(ledger.requestsFailed / ledger.requests)})`,
    ],
    ["answered read-only by a replica", whole(ledger.requestsReadOnly)],
    [
      "cores of workers busy: mean, most",
      sites.map(({ region }, at) => `${region.name} ${percent(busy[at]!.mean)}, ${percent(busy[at]!.most)}`).join("; "),
    ],
  ];
  return table(["", ""], rows, "| --- | --- |");
}

export function faultTable({ faults, sites }: Result): string {
  const rows = faults.map((fault) => [
    clock(fault.at),
    titles[fault.kind],
    sites[fault.site]!.region.name,
    fault.endedAt === undefined ? "not over" : duration(fault.endedAt - fault.at),
    whole(fault.delayed),
    fault.left > 0
      ? `${whole(fault.left)} still out`
      : fault.lastInAt === undefined
        ? ""
        : duration(fault.lastInAt - fault.at),
  ]);
  return table(
    ["when (UTC)", "what", "where", "lasted", "mails delayed", "the last one in after"],
    rows,
    "| --- | --- | --- | --: | --: | --: |",
  );
}

function parameterTable(): string {
  const rows = Object.values(parameters).map(({ value, unit, what, from, source }) => [
    unit === "$" ? `$${value}` : `${value >= 10_000 ? short(value) : digits(value)} ${unit}`,
    what,
    from,
    source,
  ]);
  return table(["value", "what", "", "source"], rows, "| --: | --- | --- | --- |");
}

export const command = ({ users, days, seed }: Result["options"]): string =>
  `npm run simulate -- --users ${users} --days ${days} --seed ${seed}`;

export function weekPage(result: Result): string {
  return `# A simulated week

Made by \`${command(result.options)}\`. What it assumes, and what it can't show, is in [scaling.md](../scaling.md#the-simulation).

![Mail that arrives, mail that waits, and how long delivery takes, with the faults marked](week.svg)

${summary(result)}

## Faults

Mail is delayed when its sender is refused (451) and comes again, or when it waits for a region that is cut off.

${faultTable(result)}

## Parameters

${parameterTable()}
`;
}

const sizes = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export function sizesPage(): string {
  const columns = sizes.map((users) => sizeFor(users));
  type Line = keyof (typeof columns)[number];
  const line = (title: string, name: Line, show: (value: number) => string): string[] => [
    title,
    ...columns.map((column) => show(column[name])),
  ];
  const bytes = (value: number): string => short(value, "B");
  const rows = [
    line("mails/s, average", "mailsPerSecond", short),
    line("mails/s, peak", "mailsAtPeak", short),
    line("mails kept", "mailsKept", short),
    line("rows added a day", "rowsPerDay", short),
    line("database", "databaseBytes", bytes),
    line("cells", "cells", short),
    line("users of the largest cell", "usersPerCell", short),
    line("workers (and a standby each)", "workers", short),
    line("their cores busy at the peak", "workerCoresBusy", percent),
    line("shard groups", "shardGroups", short),
    line("cores of its coordinator busy at the peak", "coordinatorCores", short),
    line("the same if all went through it", "routeCores", short),
    line("directory on each node", "directoryBytes", bytes),
    line("processes of Node", "nodeProcesses", short),
    line("connections to the busiest cell", "connectionsPerCell", short),
    line("memory for these", "connectionMemory", bytes),
    line("push connections", "pushConnections", short),
    line("memory for these", "pushMemory", bytes),
    line("Redis: bodies", "redisBodies", bytes),
    line("Redis: channels", "redisChannels", bytes),
    line("objects, bytes", "objectBytes", bytes),
    line("PUTs a day, one a mail", "putsPerDay", short),
    line("their price a day", "putPrice", dollars),
    line("the same with packs, one packer a process", "packPricePerProcess", dollars),
    line("the same with packs, one packer a machine", "packPricePerMachine", dollars),
    line("GETs a day", "getsPerDay", short),
    line("their price a day", "getPrice", dollars),
    line("storage, price a day", "storagePricePerDay", dollars),
  ];
  return `# Sizes

Made by \`npm run simulate\` from [the parameters](week.md#parameters); [scaling.md](../scaling.md) explains each line.

${table(["users", ...sizes.map(whole)], rows)}
`;
}
