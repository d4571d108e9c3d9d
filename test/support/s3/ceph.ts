import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../ports.ts";

/** Where Ceph's gateway runs, or will once a test needs it. */
export interface CephPlace {
  folder: string;
  /** It ends with this process. */
  owner: number;
  monPort: number;
  port: number;
  accessKey: string;
  secretKey: string;
}

const programs = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin", "setpriv"];
const maxStartMs = 240_000;

/** Why there is no real S3 here; undefined when there is one. */
export function whyNoCeph(): string | undefined {
  if (process.platform !== "linux") return "it needs Linux";
  const folders = (process.env.PATH ?? "").split(delimiter);
  const missing = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

export async function chooseCephPlace(): Promise<CephPlace> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-ceph-"));
  const [monPort, port] = (await freePorts(2)) as [number, number];
  return { folder, owner: process.pid, monPort, port, accessKey: "posthorn-tests", secretKey: "for tests alone" };
}

/** Starts it unless somebody has; does not wait. */
export function startCeph({ folder, owner, monPort, port, accessKey, secretKey }: CephPlace): void {
  try {
    mkdirSync(join(folder, "begun"));
  } catch {
    return;
  }
  writeFileSync(join(folder, "keep"), "");
  const script = fileURLToPath(new URL("./ceph.sh", import.meta.url));
  const args = [folder, owner, monPort, port, accessKey, secretKey].map(String);
  spawn(script, args, { detached: true, stdio: "ignore" }).unref();
}

export async function cephReady({ folder }: CephPlace): Promise<void> {
  for (const end = Date.now() + maxStartMs; !existsSync(join(folder, "ready")); await sleep(100)) {
    if (Date.now() < end && existsSync(folder) && !existsSync(join(folder, "failed"))) continue;
    const log = join(folder, "log", "start.log");
    throw new Error(`Ceph's gateway did not start:\n${existsSync(log) ? readFileSync(log, "utf8") : "no log"}`);
  }
}

export async function stopCeph({ folder }: CephPlace): Promise<void> {
  if (!existsSync(join(folder, "begun"))) return rmSync(folder, { recursive: true, force: true });
  rmSync(join(folder, "keep"), { force: true });
  for (const end = Date.now() + 10_000; existsSync(folder) && Date.now() < end; ) await sleep(50);
}
