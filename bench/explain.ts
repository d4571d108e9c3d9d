import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../conformance/client/client.ts";
import type { Box, Scenario } from "./scenarios.ts";

/** The database's work for one request. */
export type Effort = { statements: number; rows: number; buffers: number };
export type EffortRow = { title: string; messages: number; effort: Effort };

const settings = `
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_buffers = on
auto_explain.log_timing = off
auto_explain.log_format = 'json'
`;

/** Sets whether the database of a stopped server logs the plan of each statement after its next start, which costs time. */
export function logPlans(dataFolder: string, isWanted: boolean): void {
  const file = join(dataFolder, "pg", "postgresql.auto.conf");
  if (existsSync(file)) {
    const plain = readFileSync(file, "utf8").replaceAll(settings, "");
    writeFileSync(file, isWanted ? plain + settings : plain);
  } else if (isWanted) throw new Error("--explain needs a filled server: run once with --keep DIR before");
}

type Plan = { "Actual Rows": number; "Shared Hit Blocks": number; "Shared Read Blocks": number };

function plansAfter(log: string, offset: number): Plan[] {
  const text = readFileSync(log).subarray(offset).toString("utf8");
  return [...text.matchAll(/plan:\n(\t\{[\s\S]*?\n\t\})/g)].map(
    ([, json]) => (JSON.parse(json as string) as { Plan: Plan }).Plan,
  );
}

/** Counts the statements, rows and buffers of one request, after some that warm the caches. */
export async function explain(scenario: Scenario, box: Box, client: Client, dataFolder: string): Promise<Effort> {
  const { operation, beforeRound, restore } = await scenario.prepare(box);
  const warm = 12;
  await beforeRound?.(warm + 1);
  for (let n = 0; n < warm; n++) await operation(client, n);
  const log = join(dataFolder, "log", "postgres.log");
  await sleep(200);
  const { size } = statSync(log);
  await operation(client, warm);
  await sleep(200);
  const plans = plansAfter(log, size);
  await restore?.();
  const sum = (of: (plan: Plan) => number) => plans.reduce((total, plan) => total + of(plan), 0);
  return {
    statements: plans.length,
    rows: sum((plan) => plan["Actual Rows"]),
    buffers: sum((plan) => plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]),
  };
}

export function printEfforts(rows: EffortRow[]): string {
  const lines = rows.map(
    ({ title, messages, effort }) =>
      `${title.padEnd(34)} ${String(messages).padStart(7)} ${String(effort.statements).padStart(11)} ${String(effort.rows).padStart(7)} ${String(effort.buffers).padStart(8)}`,
  );
  const head = `${"one request of".padEnd(34)} ${"mails".padStart(7)} ${"statements".padStart(11)} ${"rows".padStart(7)} ${"buffers".padStart(8)}`;
  return [head, "-".repeat(head.length), ...lines].join("\n");
}
