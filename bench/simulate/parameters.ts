/** A number that the simulation and the sizes rest on, and where it comes from. */
export type Parameter = {
  value: number;
  unit: string;
  what: string;
  from: "measured" | "assumed" | "published";
  source: string;
};

type Maker = (value: number, unit: string, what: string, source: string) => Parameter;
const make =
  (from: Parameter["from"]): Maker =>
  (value, unit, what, source) => ({ value, unit, what, from, source });
/** Here, with this code; the source says how. */
const measured = make("measured");
/** By those who run the service or make the program. */
const published = make("published");
/** A guess: the source says why this one. Replace it by what you see. */
const assumed = make("assumed");

const bench = "`npm run bench`, 8 connections, 10,000 mails; Node and Postgres apart";
const users = "a busy person's mailbox; count your own";
const core = "per core of the bench machine";

export const parameters = {
  // What users do.
  mailsPerUserDay: assumed(40, "mails", "arrive for a user on an average day", "40 billion a day for a billion users"),
  insidePart: assumed(0.2, "of them", "come from other users of the installation", users),
  abroadPart: assumed(0.3, "of those", "come from users of other regions", users),
  opensPerUserDay: assumed(8, "a day", "opening an inbox", users),
  readsPerUserDay: assumed(12, "a day", "reading a message, marking it as read", users),
  syncsPerUserDay: assumed(16, "a day", "syncing after a push", "a client is there for 40% of the mails"),
  searchesPerUserDay: assumed(1, "a day", "searching", users),
  awayPart: assumed(0.02, "of requests", "come from another region than the account's", users),
  connectedPart: assumed(0.3, "of users", "hold a push connection at the peak", users),
  mailsKept: assumed(5_000, "mails", "kept by a user on average", "125 days of all mail, or years of what people keep"),
  // What a mail weighs.
  smallPart: assumed(0.9, "of mails", "are under 64 KB", "no study that we know of is recent; count your own"),
  smallBytes: assumed(12_000, "bytes", "of a mail under 64 KB", "as above"),
  largeBytes: assumed(600_000, "bytes", "of a larger mail", "as above; 71 KB for the mean of all"),
  databaseBytes: measured(9_000, "bytes", "a mail in the database, all tables and indexes", "table below"),
  // What things cost in CPU: Node, Postgres.
  deliverNodeMs: measured(4, "ms", `deliver a mail, from SMTP to the account: Node, ${core}`, bench),
  deliverDatabaseMs: measured(3, "ms", "the same: Postgres", bench),
  openNodeMs: measured(4, "ms", "open an inbox: Node", bench),
  openDatabaseMs: measured(2, "ms", "the same: Postgres", bench),
  readNodeMs: measured(2, "ms", "read a message and mark it as read: Node", bench),
  readDatabaseMs: measured(2, "ms", "the same: Postgres", bench),
  syncNodeMs: measured(1, "ms", "sync by changes: Node", bench),
  syncDatabaseMs: measured(1, "ms", "the same: Postgres", bench),
  searchNodeMs: measured(1, "ms", "search a word: Node", bench),
  searchDatabaseMs: measured(2, "ms", "the same: Postgres", bench),
  routeMs: measured(5, "ms", "route the statements of one delivery at the Citus node that takes them", "to be seen"),
  // How long things take when nothing waits.
  deliverP50: measured(0.02, "s", "from MAIL to the push of the new mail, median", bench),
  deliverP95: measured(0.05, "s", "the same, 95th percentile", bench),
  putP50: published(0.03, "s", "an S3 PUT of a small object, median", "AWS: tens of milliseconds under 512 KB"),
  putP95: assumed(0.1, "s", "the same, 95th percentile", "a few times the median"),
  // Machines.
  workerCores: assumed(12, "cores", "of a worker", "a common machine with fast disks"),
  workerDiskBytes: assumed(7.5e12, "bytes", "of disk of a worker", "as above"),
  diskFill: assumed(0.7, "of a disk", "at most full of rows", "room for VACUUM, WAL and a shard that moves in"),
  coresBusy: assumed(0.5, "of cores", "at most busy at the peak", "a failover must not fill them"),
  workersPerCell: assumed(
    32,
    "workers",
    "in one Citus cluster",
    "Citus advises 32 to 128 shards for tenants; 16 a worker here",
  ),
  shardsPerWorker: assumed(16, "shard groups", "on a worker", "what moves at once is a sixteenth of a worker"),
  connectionsPerProcess: measured(
    25,
    "connections",
    "of a process to the database",
    "`src/store/core/database.ts`: 24 and one that listens",
  ),
  nodeCoresPerMachine: assumed(16, "cores", "of a machine that runs Node, a process each", "a common machine"),
  rowsPerMail: measured(12, "rows", "a mail adds to the database", "table below"),
  directoryBytes: measured(400, "bytes", "an account takes on every node of its cell: address, login", "table below"),
  pushBytes: measured(30_000, "bytes", "of memory for an idle WebSocket", "to be seen"),
  backendBytes: measured(8e6, "bytes", "of memory for a connection at Postgres", "to be seen"),
  // Bodies.
  cachedDays: assumed(1, "days", "of small bodies in Redis", "16 days would be 7 MB a user"),
  cachedBytes: measured(12_500, "bytes", "of Redis for a small body of 12,000", "to be seen"),
  channelBytes: measured(300, "bytes", "of Redis for the channel of an account with a subscriber", "to be seen"),
  cacheHits: assumed(
    0.8,
    "of reads",
    "find the body in a cache",
    "82% of reads are of mail under 16 days old, most of them of today's",
  ),
  packSeconds: assumed(0.02, "s", "a pack of small bodies stays open", "the design's limit"),
  putPrice: published(0.005 / 1000, "$", "a PUT", "S3 Standard, us-east-1: $0.005 per 1,000"),
  getPrice: published(0.0004 / 1000, "$", "a GET", "S3 Standard, us-east-1: $0.0004 per 1,000"),
  storagePrice: published(
    0.023e-9,
    "$",
    "a byte and month",
    "S3 Standard, us-east-1: $0.023 per GB, less beyond 50 TB",
  ),
  // Faults.
  workerDeathsPerYear: assumed(4, "a year", "a worker's machine dies", "pessimistic: most have fewer"),
  hangPart: assumed(0.25, "of deaths", "are hangs: connections stay open, nobody answers", "disks, swapping, firmware"),
  coordinatorDeathsPerYear: assumed(4, "a year", "a coordinator's machine dies", "as a worker"),
  partitionsPerYear: assumed(6, "a year", "a region is cut off from the others", "pessimistic"),
  stormsPerYear: assumed(26, "a year", "a storm of mail comes to one region", "one in two weeks"),
  failoverSeconds: assumed(
    30,
    "s",
    "from a death to the standby's first commit",
    "three failed checks 5 s apart, then promotion",
  ),
  hangSeconds: assumed(60, "s", "the same for a hang", "checks have to time out"),
  restartSeconds: assumed(600, "s", "until a machine without a standby is back", "somebody restarts it"),
  partitionSeconds: assumed(2_700, "s", "a region stays cut off", "45 minutes"),
  stormSeconds: assumed(900, "s", "a storm lasts", "15 minutes"),
  stormTimes: assumed(5, "times", "the usual rate of mail in a storm", "a newsletter to everybody, or a loop"),
  moveBytesPerSecond: assumed(
    20e6,
    "bytes/s",
    "moving a shard group while serving",
    "3.2 MB/s measured on two shared cores, where building the GIN index took most; four moves at once",
  ),
  moveCost: assumed(0.3, "of the cores", "of both workers go into a move", "building indexes"),
  moveStallSeconds: measured(
    1.9,
    "s",
    "writes wait at the end of a move",
    "rebalance under load on Citus 13.2: the longest write",
  ),
} satisfies Record<string, Parameter>;

export type Values = { readonly [name in keyof typeof parameters]: number };

export const values = Object.fromEntries(
  Object.entries(parameters).map(([name, { value }]) => [name, value]),
) as Values;

/** Seconds until a peer offers a refused mail again, attempt by attempt; the last one repeats. Postfix waits 300 s, then twice as long up to 4,000. */
export const peerRetrySeconds = [300, 600, 1200, 2400, 4000];
/** The same for mail of our own queue: `retrySchedule`. */
export const ownRetrySeconds = [120, 300, 600, 900, 1800, 3600];

export type Region = { name: string; part: number; hoursFromUtc: number };

/** Where users live, and one time zone for all of a region. */
export const regions: Region[] = [
  { name: "America", part: 0.3, hoursFromUtc: -6 },
  { name: "Europe", part: 0.35, hoursFromUtc: 1 },
  { name: "Asia", part: 0.35, hoursFromUtc: 7 },
];
/** Fewer users than this live in one region, the second. */
export const usersForRegions = 1_000_000;

// Shapes of a day in local time, hour by hour, and of a week from Monday on; only their proportions count.
const mailHours = [5, 4, 4, 4, 5, 6, 8, 11, 14, 16, 16, 15, 14, 15, 16, 15, 14, 12, 10, 9, 9, 8, 7, 6];
const clientHours = [3, 2, 1, 1, 2, 4, 8, 13, 17, 18, 17, 15, 15, 15, 15, 14, 13, 12, 11, 11, 12, 11, 8, 5];
const weekdays = [11, 11.5, 11.5, 11, 10, 6, 6];

const hourSeconds = 3600;

/** The list with a mean of 1. */
function level(list: number[]): number[] {
  const mean = list.reduce((sum, one) => sum + one, 0) / list.length;
  return list.map((one) => one / mean);
}
const [mailDay, clientDay, week] = [level(mailHours), level(clientHours), level(weekdays)];

/** Between the middles of two hours the level changes evenly. */
function shape(day: number[], local: number): number {
  const hour = local / hourSeconds - 0.5;
  const before = Math.floor(hour);
  const at = (n: number): number => day[((n % 24) + 24) % 24]!;
  const weekday = Math.floor(local / (24 * hourSeconds));
  return (at(before) + (at(before + 1) - at(before)) * (hour - before)) * week[((weekday % 7) + 7) % 7]!;
}

/** Mail that arrives at a time (in seconds since Monday 0:00 UTC) as a multiple of the week's average. */
export const mailShape = (seconds: number, region: Region): number =>
  shape(mailDay, seconds + region.hoursFromUtc * hourSeconds);
/** What clients ask for, likewise. */
export const clientShape = (seconds: number, region: Region): number =>
  shape(clientDay, seconds + region.hoursFromUtc * hourSeconds);

/** The highest of each shape: what has to be carried. */
export const mailPeak = Math.max(...mailDay) * Math.max(...week);
export const clientPeak = Math.max(...clientDay) * Math.max(...week);
