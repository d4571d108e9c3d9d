import { clientPeak, mailPeak, type Region, regions, usersForRegions, type Values, values } from "./parameters.ts";

const daySeconds = 86_400;

/** What clients ask of the database in ms a day and user, and of Node. */
export function clientMsPerDay(p: Values = values): { node: number; database: number } {
  return {
    node:
      p.opensPerUserDay * p.openNodeMs +
      p.readsPerUserDay * p.readNodeMs +
      p.syncsPerUserDay * p.syncNodeMs +
      p.searchesPerUserDay * p.searchNodeMs,
    database:
      p.opensPerUserDay * p.openDatabaseMs +
      p.readsPerUserDay * p.readDatabaseMs +
      p.syncsPerUserDay * p.syncDatabaseMs +
      p.searchesPerUserDay * p.searchDatabaseMs,
  };
}

/** Cores that a user keeps busy at the peak. */
export function peakCoresPerUser(p: Values = values): { node: number; database: number } {
  const clients = clientMsPerDay(p);
  const mails = (p.mailsPerUserDay * mailPeak) / daySeconds / 1000;
  const each = clientPeak / daySeconds / 1000;
  return {
    node: mails * p.deliverNodeMs + each * clients.node,
    database: mails * p.deliverDatabaseMs + each * clients.database,
  };
}

/** How many users a worker holds: until its disk is full, or its cores are busy. */
export function usersPerWorker(p: Values = values): { disk: number; cores: number } {
  return {
    disk: (p.workerDiskBytes * p.diskFill) / (p.mailsKept * p.databaseBytes),
    cores: (p.workerCores * p.coresBusy) / peakCoresPerUser(p).database,
  };
}

/** A cell is one database with all that stands around it: a machine, or a Citus cluster. */
export type Cell = { users: number; workers: number };
export type Site = { region: Region; cells: number; cell: Cell };

/** The regions that so many users need; in each, cells that are alike. */
export function sitesFor(users: number, p: Values = values): Site[] {
  const { disk, cores } = usersPerWorker(p);
  const perWorker = Math.min(disk, cores);
  const home = { ...regions[1]!, part: 1 };
  return (users < usersForRegions ? [home] : regions).map((region) => {
    const here = users * region.part;
    const cells = Math.ceil(here / (perWorker * p.workersPerCell));
    const cell = { users: Math.round(here / cells), workers: Math.ceil(here / cells / perWorker) };
    return { region, cells, cell };
  });
}

/** Cores of Node at the peak: what takes mail in, and what answers clients. */
export function nodeCores(users: number, p: Values = values): { doors: number; clients: number } {
  const doors = (users * p.mailsPerUserDay * mailPeak * p.deliverNodeMs) / daySeconds / 1000;
  return { doors, clients: users * peakCoresPerUser(p).node - doors };
}

/** PUTs a second of packers that together get so many small mails a second: each opens a pack with a mail, and closes it after a time. */
export function packsPerSecond(mailsPerSecond: number, packers: number, p: Values = values): number {
  return packers / (p.packSeconds + packers / mailsPerSecond);
}

/** What so many users need. Each line of the table in docs/scaling/sizes.md is one of these. */
export function sizeFor(users: number, p: Values = values) {
  const sites = sitesFor(users, p);
  const cells = sites.reduce((sum, site) => sum + site.cells, 0);
  const workers = sites.reduce((sum, { cells, cell }) => sum + cells * cell.workers, 0);
  const largest = sites.reduce((most, { cell }) => (cell.users > most.users ? cell : most), sites[0]!.cell);
  const mailsPerDay = users * p.mailsPerUserDay;
  const { doors, clients } = nodeCores(users, p);
  const coresFor = (busy: number): number => Math.max(1, Math.ceil(busy / p.coresBusy));
  const doorProcesses = coresFor(doors);
  const cellNode = nodeCores(largest.users, p);
  const cellProcesses = coresFor(cellNode.doors) + coresFor(cellNode.clients);
  const small = (mailsPerDay * p.smallPart) / daySeconds;
  const large = mailsPerDay * (1 - p.smallPart);
  const machines = Math.max(cells, Math.ceil(doorProcesses / p.nodeCoresPerMachine));
  const gets = users * p.readsPerUserDay * (1 - p.cacheHits);
  const meanBytes = p.smallPart * p.smallBytes + (1 - p.smallPart) * p.largeBytes;
  return {
    mailsPerSecond: mailsPerDay / daySeconds,
    mailsAtPeak: (mailsPerDay / daySeconds) * mailPeak,
    mailsKept: users * p.mailsKept,
    rowsPerDay: mailsPerDay * p.rowsPerMail,
    databaseBytes: users * p.mailsKept * p.databaseBytes,
    cells,
    workers,
    workerCoresBusy: (users * peakCoresPerUser(p).database) / (workers * p.workerCores),
    shardGroups: workers > sites.length ? workers * p.shardsPerWorker : 0,
    usersPerCell: largest.users,
    entryCores: (largest.users * p.mailsPerUserDay * mailPeak * p.routeMs) / daySeconds / 1000,
    directoryBytes: largest.users * p.directoryBytes,
    nodeProcesses: doorProcesses + coresFor(clients),
    connectionsPerCell: cellProcesses * p.connectionsPerProcess,
    connectionMemory: cellProcesses * p.connectionsPerProcess * p.backendBytes,
    pushConnections: users * p.connectedPart,
    pushMemory: users * p.connectedPart * p.pushBytes,
    redisBodies: mailsPerDay * p.smallPart * p.cachedDays * p.cachedBytes,
    redisChannels: users * p.connectedPart * p.channelBytes,
    objectBytes: users * p.mailsKept * meanBytes,
    putsPerDay: mailsPerDay,
    putPrice: mailsPerDay * p.putPrice,
    packPricePerProcess: (packsPerSecond(small, doorProcesses, p) * daySeconds + large) * p.putPrice,
    packPricePerMachine: (packsPerSecond(small, machines, p) * daySeconds + large) * p.putPrice,
    getsPerDay: gets,
    getPrice: gets * p.getPrice,
    storagePricePerDay: (users * p.mailsKept * meanBytes * p.storagePrice) / 30,
  };
}
