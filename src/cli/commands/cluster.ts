import type { Command } from "commander";
import { examples, type LoadRun, onStore } from "../command.ts";

const acts = () => import("../cluster.ts");

const jsonHelp = "print JSON";
const dryRunHelp = "only say what would move: bytes, accounts, from where to where";
const yesHelp = "do not ask for confirmation";

export function addClusterCommands(program: Command): void {
  const cluster = program
    .command("cluster")
    .description("the servers of the database: their state and faults; on Citus also nodes and where accounts lie");
  const add = (command: Command, load: LoadRun, ...lines: string[]) =>
    onStore(command.option("--json", jsonHelp).addHelpText("after", examples(...lines)), load, { migrates: false });

  add(
    cluster
      .command("status")
      .description("each server: its accounts, their bytes, how far its standbys are behind, its longest statement"),
    async () => (await acts()).status,
    "cluster status",
    "cluster status --json",
  );
  add(
    cluster
      .command("check")
      .description(
        "look for wrong settings, versions and clocks, and for what a failover would lose; exit code 1 on a fault",
      ),
    async () => (await acts()).check,
    "cluster check",
  );
  add(
    cluster
      .command("add-node <host>")
      .description(
        "check a server (host or host:port) as check does, and add it to the cluster, or take back a drained one; " +
          "it gets accounts with rebalance",
      )
      .option("--dry-run", "only check the server"),
    async () => (await acts()).addOne,
    "cluster add-node pg3.example.org --dry-run",
    "cluster add-node pg3.example.org:5433",
  );
  add(
    cluster
      .command("drain-node <host>")
      .description("move all accounts away from a node, while they are used; run it again to follow or to go on")
      .option("--dry-run", dryRunHelp),
    async () => (await acts()).drain,
    "cluster drain-node pg1.example.org --dry-run",
  );
  add(
    cluster
      .command("rebalance")
      .description(
        "move shards until all nodes hold about as many bytes, while they are used; run it again to follow or to go on",
      )
      .option("--dry-run", dryRunHelp),
    async () => (await acts()).even,
    "cluster rebalance --dry-run",
    "cluster rebalance",
  );
  add(
    cluster
      .command("isolate-account <address>")
      .description("give an account a shard of its own, on its node; writes to its old shard wait for some seconds")
      .option("--dry-run", "only say who shares its shard, and how long writes would wait")
      .option("--yes", yesHelp),
    async () => (await acts()).isolate,
    "cluster isolate-account big@example.org --dry-run",
  );
  add(
    cluster
      .command("move-account <address> <host>")
      .description("move an account to a node, after isolate-account if it shares its shard")
      .option("--dry-run", "only say what would move and who would wait")
      .option("--yes", yesHelp),
    async () => (await acts()).move,
    "cluster move-account big@example.org pg3.example.org --dry-run",
  );
}
