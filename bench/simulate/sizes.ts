import { type Values, values } from "./parameters.ts";
import { clientPeak, mailPeak, type Region, regions, usersForRegions } from "./shapes.ts";

const daySeconds = 86_400;

/** What the database spends on a mail, and on a user's requests of a day, in ms of a core of all its nodes together. */
export function databaseMs(isCluster: boolean, p: Values = values): { mail: number; clients: number } {
  const { opensPerUserDay: opens, readsPerUserDay: reads, syncsPerUserDay: syncs, searchesPerUserDay: searches } = p;
  if (!isCluster) {
    const clients = opens * p.openDatabaseMs + reads * p.readDatabaseMs + syncs * p.syncDatabaseMs;
    return { mail: p.deliverDatabaseMs, clients: clients + searches * p.searchDatabaseMs };
  }
  const clients = opens * p.openClusterMs + reads * p.readClusterMs + syncs * p.syncClusterMs;
  return {
    mail: p.deliverClusterMs * p.ownNodePart,
    clients: (clients + searches * p.searchClusterMs) * p.ownNodePart,
  };
}

/** Cores of the database that a user keeps busy at the peak. */
export function peakDatabaseCores(isCluster: boolean, p: Values = values): number {
  const { mail, clients } = databaseMs(isCluster, p);
  return (p.mailsPerUserDay * mailPeak * mail + clientPeak * clients) / daySeconds / 1000;
}

/** Cores of Node that so many users keep busy at the peak: to take mail in, and to answer clients. */
export function peakNodeCores(users: number, p: Values = values): { doors: number; clients: number } {
  const clients =
    p.opensPerUserDay * p.openNodeMs +
    p.readsPerUserDay * p.readNodeMs +
    p.syncsPerUserDay * p.syncNodeMs +
    p.searchesPerUserDay * p.searchNodeMs;
  return {
    doors: (users * p.mailsPerUserDay * mailPeak * p.deliverNodeMs) / daySeconds / 1000,
    clients: (users * clientPeak * clients) / daySeconds / 1000,
  };
}

export const databaseBytesPerUser = (p: Values = values): number => p.mailsKept * p.databaseBytes * p.bloat;

/** How many users a worker holds: until its disk is full, or its cores are busy. */
export function usersPerWorker(isCluster: boolean, p: Values = values): { disk: number; cores: number } {
  return {
    disk: (p.workerDiskBytes * p.diskFill) / databaseBytesPerUser(p),
    cores: (p.workerCores * p.coresBusy) / peakDatabaseCores(isCluster, p),
  };
}

/** A cell is one database with all that stands around it: a machine, or a Citus cluster. */
export type Cell = { users: number; workers: number };
export type Site = { region: Region; cells: number; cell: Cell };

/** The regions that so many users need; in each, cells that are alike. */
export function sitesFor(users: number, p: Values = values): Site[] {
  const most = (isCluster: boolean): number => Math.min(...Object.values(usersPerWorker(isCluster, p)));
  const perWorker = users <= most(false) ? most(false) : most(true);
  const home = { ...regions[1]!, part: 1 };
  return (users < usersForRegions ? [home] : regions).map((region) => {
    const here = users * region.part;
    const cells = Math.ceil(here / (perWorker * p.workersPerCell));
    const cell = { users: Math.round(here / cells), workers: Math.ceil(here / cells / perWorker) };
    return { region, cells, cell };
  });
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
  const isCluster = workers > cells;
  const { doors, clients } = peakNodeCores(users, p);
  const coresFor = (busy: number): number => Math.max(1, Math.ceil(busy / p.coresBusy));
  const doorProcesses = coresFor(doors);
  const cellNode = peakNodeCores(largest.users, p);
  const cellPeak = (largest.users * p.mailsPerUserDay * mailPeak) / daySeconds;
  const cellProcesses = coresFor(cellNode.doors) + coresFor(cellNode.clients);
  const connectionsPerCell = Math.min(
    cellProcesses * p.connectionsPerProcess,
    Math.ceil(cellProcesses / p.nodeCoresPerMachine) * p.connectionsPerMachine,
  );
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
    databaseBytes: users * databaseBytesPerUser(p),
    cells,
    workers,
    workerCoresBusy: (users * peakDatabaseCores(isCluster, p)) / (workers * p.workerCores),
    shardGroups: isCluster ? workers * p.shardsPerWorker : 0,
    usersPerCell: largest.users,
    coordinatorCores: isCluster ? (cellPeak * p.coordinatorMs) / 1000 : 0,
    routeCores: isCluster ? (largest.users * peakDatabaseCores(true, p) * p.routePart) / p.ownNodePart : 0,
    directoryBytes: largest.users * p.directoryBytes,
    nodeProcesses: doorProcesses + coresFor(clients),
    connectionsPerCell,
    connectionMemory: connectionsPerCell * p.backendBytes,
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
