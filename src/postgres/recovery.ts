import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, kill, processesIn, recordedPid } from "./postmaster.ts";

/** The folder in a data folder where a database is restored before it takes its place. */
export const draftIn = (dataFolder: string): string => join(dataFolder, "restoring");

/** What a base copy lacks before a server may be started on it. */
export interface RecoveryOptions {
  /** `backup_label` of the copy. */
  label: string;
  /** Where to stop. (Default: at the end of the log) */
  to?: Date | undefined;
}

/**
 * Prepares a base copy in `<folder>/pg`, with its log in `pg_wal`, so that the next start recovers it up to the moment. It
 * answers nobody before, and makes all files durable.
 */
export function prepareRecovery(folder: string, { label, to }: RecoveryOptions): void {
  const settings = {
    // All of the log is in pg_wal, where the server looks next.
    restore_command: "false",
    recovery_target_timeline: "current",
    recovery_target_action: "promote",
    hot_standby: "off",
    ...(to && { recovery_target_time: to.toISOString().replace("T", " ").replace("Z", "+00") }),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  write(folder, "backup_label", label);
  write(folder, "postgresql.auto.conf", lines.join(""));
  write(folder, "recovery.signal", "");
}

/** Once it has recovered, it is a database like any other. */
export function endRecovery(folder: string): void {
  write(folder, "postgresql.auto.conf", "");
}

const write = (folder: string, name: string, text: string) => writeFileSync(join(folder, "pg", name), text);

/** Removes a draft, and ends the server that a killed restore left on it. */
export async function removeDraft(folder: string): Promise<void> {
  const pg = join(folder, "pg");
  const pid = existsSync(pg) ? recordedPid(pg) : undefined;
  if (pid !== undefined && processesIn(pg)?.includes(pid)) {
    for (kill(pid, "SIGQUIT"); isAlive(pid); await sleep(20));
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Puts the database of a draft, which must not run, into its place. */
export function installDraft(dataFolder: string): void {
  renameSync(join(draftIn(dataFolder), "pg"), join(dataFolder, "pg"));
  const handle = openSync(dataFolder, "r");
  fsyncSync(handle);
  closeSync(handle);
  rmSync(draftIn(dataFolder), { recursive: true, force: true });
}
