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

const bench =
  "`npm run bench`, 10,000 mails, 8 connections, median of 7 runs; Node and Postgres parted by the column `database's`";
const citus = "Citus 13.2, three nodes, 8 connections, CPU of all nodes";
const users = "a busy person's mailbox; count your own";
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
  databaseBytes: measured(
    8_100,
    "bytes",
    "a mail of 200 words in the database, all tables and indexes",
    "5,000 mails over SMTP to one account, `npm run bench -- --tables`",
  ),
  bloat: assumed(1.2, "times", "that in a database in use", "dead rows, pages that are not full"),
  rowsPerMail: measured(12, "rows", "a mail adds to the database", "as above: 11.7, and one in the queue"),
  // What things cost in CPU, in ms of a core of the machine measured: Node, Postgres, and Citus in place of Postgres.
  deliverNodeMs: measured(6.9, "ms", "Node: a mail, from SMTP to the account", bench),
  deliverDatabaseMs: measured(3.4, "ms", "Postgres: the same", bench),
  deliverClusterMs: measured(12.1, "ms", "Citus: the same", citus),
  openNodeMs: measured(9, "ms", "Node: opening an inbox", bench),
  openDatabaseMs: measured(2.7, "ms", "Postgres: the same", bench),
  openClusterMs: measured(9.5, "ms", "Citus: the same", citus),
  readNodeMs: measured(3.4, "ms", "Node: reading a message, and marking it as read", bench),
  readDatabaseMs: measured(1.9, "ms", "Postgres: the same", bench),
  readClusterMs: measured(13.6, "ms", "Citus: the same", citus),
  syncNodeMs: measured(1.4, "ms", "Node: syncing by changes", bench),
  syncDatabaseMs: measured(0.65, "ms", "Postgres: the same", bench),
  syncClusterMs: measured(3.6, "ms", "Citus: the same", citus),
  searchNodeMs: measured(1.5, "ms", "Node: searching a word", bench),
  searchDatabaseMs: measured(2.1, "ms", "Postgres: the same", bench),
  searchClusterMs: measured(4.9, "ms", "Citus: the same", citus),
  routePart: measured(
    0.5,
    "of that",
    "is the coordinator's, if all statements go through it",
    "39% (search) to 57% (delivery)",
  ),
  ownNodePart: measured(
    0.75,
    "of that",
    "is left where an account is asked for at its own node",
    "one statement of each: 0.71 (read), 0.79 (write)",
  ),
  coordinatorMs: measured(
    0.2,
    "ms",
    "of the coordinator for the queue's row of a mail",
    "insert and delete, 8 connections",
  ),
  // How long things take when nothing waits.
  deliverP50: measured(
    0.016,
    "s",
    "from a peer's MAIL to the push of the new mail, median",
    "`npm run bench`, 1 connection: 10 ms to the 250, 5 to the push",
  ),
  deliverP95: measured(0.038, "s", "the same, 95th percentile", "25 and 14 ms"),
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
  connectionsPerProcess: measured(25, "connections", "of a process to the database", "24 and one that listens"),
  connectionsPerMachine: measured(
    80,
    "connections",
    "of all processes of a machine at most",
    "`--workers`, up to 20 processes",
  ),
  nodeCoresPerMachine: assumed(16, "cores", "of a machine that runs Node, a process each", "a common machine"),
  directoryBytes: measured(
    473,
    "bytes",
    "of an account on every node of its cell",
    "100,000 rows of address and login with their indexes",
  ),
  pushBytes: measured(
    15_000,
    "bytes",
    "of memory for an idle WebSocket in Node",
    "2,400 of 40 logins; neither TLS nor the kernel's buffers",
  ),
  backendBytes: measured(
    3.6e6,
    "bytes",
    "of memory for a connection at a node of Citus",
    "28 after 800 requests, private pages: 3.1 to 4.4 MB; more shards, more",
  ),
  // Bodies.
  cachedDays: assumed(1, "days", "of small bodies in Redis", "16 days are 7 MB a user"),
  cachedBytes: measured(12_500, "bytes", "of Redis for a body of 12,000", "20,000 of them, `used_memory`"),
  channelBytes: measured(
    230,
    "bytes",
    "of Redis for the channel of an account with a subscriber",
    "20,000 by SSUBSCRIBE",
  ),
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
  failoverSeconds: assumed(30, "s", "from a death to the standby's first commit", "Patroni's default lease"),
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
