import type { Random } from "../../bench/random.ts";
import type { MemberName } from "../support/fleet.ts";
import type { RedisServer } from "../support/redis-server.ts";
import type { Fault as S3Fault, StrictServer } from "../support/s3/strict-server.ts";
import type { SmallDisk } from "../support/small-disk.ts";
import type { Installation } from "./installation.ts";
import type { PostgresNode } from "./postgres-node.ts";
import type { Operation, Sample } from "./samples.ts";
import { hang, resume, slow } from "./signals.ts";

export interface Fault {
  /** What fails and how, such as `redis hangs`. */
  name: string;
  /** Begins it; what is returned ends it, and resolves when that which failed is back. */
  begin(): Promise<() => Promise<void>>;
  /** Whether it may refuse or delay this: the user or what he asks for needs what failed. */
  hits(sample: Pick<Sample, "operation" | "users">): boolean;
  /** The process of the fleet that is dead meanwhile. */
  dead?: MemberName;
}

/** All that can be made to fail here. `random` decides which of many requests a service fails. */
export function faultsOf(installation: Installation, random: Random): Fault[] {
  const { fleet, redis, s3, disks, nodes } = installation;
  return [
    ...[...fleet.members.keys()].flatMap((name) => ofMember(installation, name)),
    ...(redis ? ofRedis(redis) : []),
    ...(s3 ? ofS3(s3, random) : []),
    ...nodes.flatMap((node, at) => ofNode(installation, node, at)),
    ...(disks.data ? [ofDataDisk(disks.data, s3 !== undefined)] : []),
    ...(disks.database ? [ofDatabaseDisk(installation, disks.database)] : []),
  ];
}

const nobody = () => false;
const everybody = () => true;
/** What stores or sends a body. */
const withBody: readonly Operation[] = ["mail in", "draft", "upload", "send out", "send here"];

function ofMember({ fleet }: Installation, name: MemberName): Fault[] {
  const server = fleet.members.get(name)!;
  const pids = () => (server.running ? [server.pid] : []);
  return [
    {
      name: `${name} is killed`,
      dead: name,
      hits: nobody,
      begin: async () => {
        await server.kill();
        return async () => void (await server.start());
      },
    },
    {
      name: `${name} hangs`,
      hits: nobody,
      begin: async () => {
        hang(pids);
        return async () => resume(pids);
      },
    },
    {
      name: `${name} is slow`,
      // Half of all calls and mails are its own.
      hits: ({ operation }) => (name.startsWith("smtp-in") ? operation === "mail in" : name.startsWith("http")),
      begin: async () => {
        const end = slow(pids);
        return async () => end();
      },
    },
  ];
}

function ofRedis(redis: RedisServer): Fault[] {
  const pids = () => [redis.pid];
  const limit = (maxmemory: string) => redis.cli("config", "set", "maxmemory", maxmemory);
  const faults: [string, Fault["begin"]][] = [
    [
      "is killed",
      async () => {
        await redis.stop();
        return async () => void (await redis.start());
      },
    ],
    [
      "hangs",
      async () => {
        hang(pids);
        return async () => resume(pids);
      },
    ],
    [
      "is slow",
      async () => {
        const end = slow(pids);
        return async () => end();
      },
    ],
    [
      "is full",
      async () => {
        limit("1mb");
        return async () => void limit("0");
      },
    ],
  ];
  return faults.map(([how, begin]) => ({ name: `redis ${how}`, hits: nobody, begin }));
}

function ofS3(s3: StrictServer, random: Random): Fault[] {
  const failing = (choose: () => S3Fault | undefined): Fault["begin"] => {
    return async () => {
      s3.fault = choose;
      return async () => {
        s3.fault = () => undefined;
      };
    };
  };
  const faults: [string, Fault["begin"]][] = [
    [
      "is away",
      async () => {
        await s3.stop();
        return async () => void (await s3.start());
      },
    ],
    ["hangs", failing(() => "hang")],
    [
      "fails half of all",
      failing(() => (random() < 0.5 ? (["error", "slowDown", "cut"] as const)[Math.floor(random() * 3)] : undefined)),
    ],
    [
      "is slow",
      async () => {
        s3.delayMs = 700;
        return async () => {
          s3.delayMs = 0;
        };
      },
    ],
  ];
  const hits: Fault["hits"] = ({ operation }) => withBody.includes(operation);
  return faults.map(([how, begin]) => ({ name: `s3 ${how}`, hits, begin }));
}

/** `at`: the first node of Citus is the coordinator. */
function ofNode(installation: Installation, node: PostgresNode, at: number): Fault[] {
  const { isOnCitus, users, urlOf } = installation;
  const isCoordinator = isOnCitus && at === 0;
  const what = isCoordinator ? "the coordinator" : isOnCitus ? `worker ${at}` : "the database";
  const own = new Set(users.filter(({ nodePort }) => nodePort === node.port).map(({ address }) => address));
  const hits: Fault["hits"] = isCoordinator
    ? ({ operation }) => operation === "mail in"
    : isOnCitus
      ? ({ users: some }) => some.some((address) => own.has(address))
      : everybody;
  const pids = () => node.pids;
  return [
    {
      name: `${what} is killed`,
      hits,
      begin: async () => {
        await node.kill();
        return () => node.start(urlOf(node));
      },
    },
    {
      name: `${what} hangs`,
      hits,
      begin: async () => {
        hang(pids);
        return async () => resume(pids);
      },
    },
    {
      name: `${what} is slow`,
      hits,
      begin: async () => {
        const end = slow(pids);
        return async () => end();
      },
    },
  ];
}

function ofDataDisk(disk: SmallDisk, isBodiesElsewhere: boolean): Fault {
  return {
    name: "the disk of the processes is full",
    hits: ({ operation }) => !isBodiesElsewhere && withBody.includes(operation),
    begin: async () => {
      disk.fill();
      return async () => disk.empty();
    },
  };
}

function ofDatabaseDisk({ nodes, urlOf }: Installation, disk: SmallDisk): Fault {
  const [node] = nodes as [PostgresNode];
  return {
    name: "the disk of the database is full",
    hits: everybody,
    begin: async () => {
      disk.fill();
      return async () => {
        disk.empty();
        // It may have ended, as nothing could be written.
        await node.start(urlOf(node));
      };
    },
  };
}
