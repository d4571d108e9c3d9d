import { sql } from "kysely";
import type { Log } from "../../base/log.ts";
import { addressesOf, type ConnectionOptions, elsewhere } from "./connection-options.ts";
import { read, write } from "./declare.ts";
import type { Guard } from "./finder.ts";
import { groupOf, type ShardRange } from "./node-of.ts";
import { Fence } from "./role.ts";
import { lost, Server } from "./server.ts";
import { type Given, inOrder, type Statement, unprepared } from "./sql.ts";

const selectCitus = unprepared<{ has: boolean }>(
  "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS has",
);
const selectRanges = unprepared<ShardRange>(`
  SELECT s.shardminvalue::integer AS min, s.shardmaxvalue::integer AS max, p.groupid AS group
  FROM pg_dist_shard s JOIN pg_dist_placement p ON p.shardid = s.shardid
  WHERE s.logicalrelid = to_regclass('account') ORDER BY 1`);
/** The coordinator is group 0. $1: standbys will do, where the cluster has some. */
const selectNodes = unprepared<{ group: number; host: string; port: number }>(`
  SELECT DISTINCT ON (groupid) groupid AS group, nodename AS host, nodeport AS port FROM pg_dist_node
  WHERE isactive AND groupid <> 0
    AND (noderole = 'primary' OR $1 AND noderole = 'secondary' AND nodecluster = current_setting('citus.cluster_name', true))
  ORDER BY groupid, noderole = 'secondary' DESC`);
/** Every node has them, so that a primary that was replaced cannot hide it. */
const timelinesByGroup = read("nodes.timelines", (db) =>
  db
    .selectFrom("setting")
    .select([sql<number>`substr(name, 10)::integer`.as("group"), sql<number>`value::integer`.as("timeline")])
    .where("name", "like", sql.lit("timeline.%")),
);
const recordTimeline = write("nodes.recordTimeline", (db, $: { name: string; timeline: string }) =>
  db
    .insertInto("setting")
    .values({ name: $.name, value: $.timeline })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet((eb) => ({ value: eb.ref("excluded.value") }))
        .where(sql<boolean>`setting.value::integer < excluded.value::integer`),
    ),
);

/** How often the places of accounts are read again: accounts move, and nodes are replaced by their standbys. */
const refreshMs = 30_000;
const refreshAwayMs = 2_000;
/** A new connection to a node needs to know what was true then. */
const maxAgeMs = 5_000;
/** How long /readyz waits for a server. */
const maxCheckMs = 500;

interface Node {
  server: Server;
  /** Differs when the node was replaced. */
  place: string;
}

export interface NodesOptions {
  connection: ConnectionOptions;
  /** The most connections to a node. */
  max: number;
  /** Nothing is written, so standbys will do. */
  isReadOnly: boolean;
  log: Log;
}

/**
 * The servers of the database. Plain Postgres is one. On Citus each account is asked for at the node that holds it:
 * a node that is dead or hangs then holds up nobody else, and most work needs no coordinator. A place that is out of date
 * is only slower, since every node finds every account.
 */
export class Nodes {
  /** Plain Postgres, or the coordinator of Citus. */
  readonly main: Server;
  readonly #options: NodesOptions;
  /** Those of the URL. */
  readonly #addresses: readonly ConnectionOptions[];
  #ranges: readonly ShardRange[] = [];
  readonly #nodes = new Map<number, Node>();
  /** By group, kept when its primary is replaced. */
  readonly #fences = new Map<number, Fence>();
  #isCitus: Promise<boolean> | undefined;
  #finding: Promise<boolean> | undefined;
  #foundAt = Number.NEGATIVE_INFINITY;
  #recording: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#addresses = addressesOf(options.connection);
    const isGuarded = this.#addresses.length > 1 && !options.isReadOnly;
    this.main = this.#open("database", this.#addresses, isGuarded ? { fence: new Fence(0) } : undefined);
  }

  /** All servers, the main one first. */
  get all(): Server[] {
    return [this.main, ...[...this.#nodes.values()].map(({ server }) => server)];
  }

  /** The server to ask for an account. */
  of(accountId: number): Server {
    if (this.#ranges.length === 0) return this.main;
    const group = groupOf(this.#ranges, accountId);
    return (group !== undefined && this.#nodes.get(group)?.server) || this.main;
  }

  /** A server to ask for what lies on all of them. */
  anywhere(): Server {
    return this.main.isAway ? (this.all.find((server) => !server.isAway) ?? this.main) : this.main;
  }

  /** The servers that give no answer, by name. Resolves within half a second. */
  async missing(): Promise<string[]> {
    const servers = this.all;
    const found = await Promise.all(servers.map((server) => !server.isAway && isSoonThere(server)));
    const nameOf = (server: Server) => (server === this.main && servers.length > 1 ? "the coordinator" : server.name);
    return servers.filter((_, index) => !found[index]).map(nameOf);
  }

  /** Whether the database is on Citus; asked once. */
  isCitus(asked = this.anywhere()): Promise<boolean> {
    this.#isCitus ??= ask(asked, selectCitus).then(
      ([row]) => row!.has,
      (error: unknown) => {
        this.#isCitus = undefined;
        throw error;
      },
    );
    return this.#isCitus;
  }

  /**
   * Finds the nodes and the places of the accounts, if this is Citus, now and from time to time; there are none before the
   * database is migrated. Throws if no server answers that knows them.
   */
  async start(): Promise<void> {
    // A server that was asked once is asked faster again.
    if (await this.main.isThere()) return this.#startFrom(this.main);
    const entrance = await this.#entrance();
    try {
      await this.#startFrom(entrance ?? this.main);
    } finally {
      await entrance?.close();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.all.map((server) => server.close()));
  }

  #open(name: string, addresses: readonly ConnectionOptions[], guard: Guard | undefined): Server {
    const { max, isReadOnly, log } = this.#options;
    const onAway = () => {
      if (this.#timer) void this.#refresh();
    };
    return new Server({ name, addresses, guard, isReadOnly, max, log, onAway });
  }

  async #startFrom(asked: Server): Promise<void> {
    if (await this.isCitus(asked)) await this.#find(asked);
  }

  /** A server that the URL names and that answers while the main one is away: each node of Citus knows the others. */
  async #entrance(): Promise<Server | undefined> {
    if (this.#addresses.length === 1) return undefined;
    for (const address of this.#addresses) {
      const server = this.#open("entrance", [address], undefined);
      if (await server.isThere()) return server;
      await server.close();
    }
    return undefined;
  }

  async #find(asked = this.anywhere()): Promise<void> {
    const { isReadOnly } = this.#options;
    const ranges = await ask(asked, selectRanges);
    if (ranges.length === 0) return;
    const [nodes, timelines] = await Promise.all([ask(asked, selectNodes, [isReadOnly]), ask(asked, timelinesByGroup)]);
    if (this.#isClosed) return;
    this.#ranges = ranges;
    for (const { group, timeline } of timelines) this.#fenceOf(group).raise(timeline);
    for (const { group, host, port } of nodes) this.#place(group, host, port);
    for (const group of this.#nodes.keys()) if (nodes.every((node) => node.group !== group)) this.#drop(group);
    this.#foundAt = performance.now();
    this.#plan(this.all.some((server) => server.isAway) ? refreshAwayMs : refreshMs);
    if (isReadOnly) return;
    this.#recording ??= this.#record(new Map(timelines.map(({ group, timeline }) => [group, timeline])))
      .catch((error: Error) => this.#options.log.debug({ reason: error.message }, "promotion not recorded"))
      .finally(() => {
        this.#recording = undefined;
      });
  }

  /** Tells other processes of the promotions that this one has seen. It fails while a node is away. */
  async #record(recorded: ReadonlyMap<number, number>): Promise<void> {
    for (const [group, { timeline }] of this.#fences) {
      if (timeline <= (recorded.get(group) ?? 1)) continue;
      await ask(this.anywhere(), recordTimeline, { name: `timeline.${group}`, timeline: String(timeline) });
    }
  }

  #plan(pauseMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(), pauseMs).unref();
  }

  /** False when nobody could be asked. */
  #refresh(): Promise<boolean> {
    this.#finding ??= this.#find()
      .catch((error: Error) => {
        this.#options.log.debug({ reason: error.message }, "places of accounts not read");
        if (!this.#isClosed) this.#plan(refreshAwayMs);
      })
      .then(() => performance.now() - this.#foundAt <= maxAgeMs)
      .finally(() => {
        this.#finding = undefined;
      });
    return this.#finding;
  }

  #place(group: number, host: string, port: number): void {
    const place = `${host}:${port}`;
    if (this.#nodes.get(group)?.place === place) return;
    this.#drop(group);
    const address = elsewhere(this.#options.connection, host, port);
    const guard = { fence: this.#fenceOf(group), look: () => this.#isCurrent() };
    const server = this.#open(`node ${group}`, [address], this.#options.isReadOnly ? undefined : guard);
    this.#nodes.set(group, { place, server });
    void server.isThere();
  }

  #drop(group: number): void {
    const node = this.#nodes.get(group);
    this.#nodes.delete(group);
    // Whoever tries again finds the one that took its place.
    void node?.server.close(lost(`${node.server.name} was replaced`));
  }

  #fenceOf(group: number): Fence {
    const fence = this.#fences.get(group) ?? new Fence(group);
    this.#fences.set(group, fence);
    return fence;
  }

  /** Whether it is known what replaced what. It is asked for again when that was long ago, unless nobody can tell. */
  async #isCurrent(): Promise<boolean> {
    const isOld = performance.now() - this.#foundAt > maxAgeMs;
    return !isOld || (!this.main.isAway && (await this.#refresh()));
  }
}

async function ask<Row, P>(
  server: Server,
  { text, parameters }: Statement<Row, P>,
  ...given: Given<P>
): Promise<Row[]> {
  const values = inOrder(parameters, given[0]);
  return (await server.query({ text, values })).rows as Row[];
}

function isSoonThere(server: Server): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, maxCheckMs, false);
  return Promise.race([server.isThere(), late]).finally(() => clearTimeout(timer));
}
