import pg from "pg";

/** What work costs on Citus. */
export interface CitusCost {
  /** Sent by this process to the coordinator, with BEGIN, SAVEPOINT and COMMIT. */
  statements: number;
  /** Sent by the coordinator to workers, with BEGIN, SAVEPOINT and COMMIT. */
  commands: number;
  /** How many of them were of a two-phase commit. */
  twoPhase: number;
  /** The most workers that took part in one transaction. */
  nodes: number;
}

/** Setting of a database under which the coordinator tells its clients of every command that it sends to a worker. */
export const tellCommands = "citus.log_remote_commands = on";

let cost: CitusCost = { statements: 0, commands: 0, twoPhase: 0, nodes: 0 };

const { connect, query } = pg.Client.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
Object.assign(pg.Client.prototype, {
  query(this: pg.Client, ...args: unknown[]) {
    cost.statements++;
    return query!.apply(this, args);
  },
  connect(this: pg.Client, ...args: unknown[]) {
    /** The workers where this connection has a transaction. */
    const open = new Set<string>();
    this.on("notice", ({ message = "", detail = "" }) => {
      const command = /^issuing (.*)$/s.exec(message)?.[1];
      const node = /^on server (?:\S+@)?(\S+)/.exec(detail)?.[1];
      if (command === undefined || node === undefined) return;
      cost.commands++;
      if (/^(PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED)/.test(command)) cost.twoPhase++;
      if (/^BEGIN/.test(command)) open.add(node);
      cost.nodes = Math.max(cost.nodes, open.size);
      if (/^(COMMIT|ROLLBACK(?! TO)|ABORT|PREPARE TRANSACTION)/.test(command)) open.delete(node);
    });
    return connect!.apply(this, args);
  },
});

/** The cost of what this process does until `work` is done. */
export async function costOnCitus(work: () => Promise<unknown>): Promise<CitusCost> {
  const mine: CitusCost = { statements: 0, commands: 0, twoPhase: 0, nodes: 0 };
  cost = mine;
  await work();
  return mine;
}
