import pg from "pg";

/** What work costs on Citus. Statements and commands include BEGIN, SAVEPOINT and COMMIT. */
export interface CitusCost {
  /** Sent by this process to the coordinator. */
  toCoordinator: number;
  /** Sent by this process to workers. */
  toWorkers: number;
  /** Sent from one node to another for these. */
  between: number;
  /** How many of them were of a two-phase commit. */
  twoPhase: number;
  /** The most nodes that took part in one transaction: the one that was asked, and those that it asked. */
  nodes: number;
}

/** Setting of a node's database under which the node tells its clients of every command that it sends to another. */
export const tellCommands = "citus.log_remote_commands = on";

const nothing: CitusCost = { toCoordinator: 0, toWorkers: 0, between: 0, twoPhase: 0, nodes: 0 };
let cost = { ...nothing };
let coordinatorPort = 0;

const { connect, query } = pg.Client.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;

Object.assign(pg.Client.prototype, {
  query(this: pg.Client, ...args: unknown[]) {
    cost[this.port === coordinatorPort ? "toCoordinator" : "toWorkers"]++;
    cost.nodes = Math.max(cost.nodes, 1);
    return query!.apply(this, args);
  },
  connect(this: pg.Client, ...args: unknown[]) {
    /** The other nodes that take part in this connection's transaction. */
    const others = new Set<string>();
    this.on("notice", ({ message = "", detail = "" }) => {
      const command = /^issuing (.*)$/s.exec(message)?.[1];
      const node = /^on server (?:\S+@)?(\S+)/.exec(detail)?.[1];
      if (command === undefined || node === undefined) return;
      cost.between++;
      if (/^(PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED)/.test(command)) cost.twoPhase++;
      others.add(node);
      cost.nodes = Math.max(cost.nodes, 1 + others.size);
      if (/^(COMMIT|ROLLBACK(?! TO)|ABORT|PREPARE TRANSACTION)/.test(command)) others.delete(node);
    });
    return connect!.apply(this, args);
  },
});

/** The cost of what this process does until `work` is done; `coordinator` is the coordinator's port. */
export async function costOnCitus(coordinator: number, work: () => Promise<unknown>): Promise<CitusCost> {
  const mine = { ...nothing };
  [cost, coordinatorPort] = [mine, coordinator];
  await work();
  return mine;
}
